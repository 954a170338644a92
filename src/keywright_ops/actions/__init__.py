"""One file per verb a person can say → a report. The only room that the faces call.

An action reads clock, environment and working directory once, and hands them down as values.
"""
