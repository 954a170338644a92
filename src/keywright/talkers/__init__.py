"""Who holds flows: over connections of our own (blocking, multiplexed), a client given, or memory."""
