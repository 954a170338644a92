"""Does Steps on a Target: one lock, one journal, one confirmation rule, one undo. Below the waterline."""
