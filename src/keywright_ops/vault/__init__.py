"""Where secret values are kept: one 0600 file per environment. Below the waterline."""
