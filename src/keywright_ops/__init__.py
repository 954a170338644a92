"""Keywright's toolkit: sets up, proves, runs and watches Redis and Valkey from one file.

The rooms stand in the order that the data walks; docs/design.md draws the street.
"""
