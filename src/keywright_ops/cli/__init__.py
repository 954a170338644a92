"""The command line: parses words, calls one action, shows its report. Decides nothing."""
