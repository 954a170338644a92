"""The world below the waterline: how to reach a host, who keeps the server running, how to talk to it.

A target is transport × supervisor × endpoint. Nothing here decides.
"""
