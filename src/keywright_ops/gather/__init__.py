"""Asks a target and makes one snapshot of Facts. Below the waterline: nothing here decides."""
