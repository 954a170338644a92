"""Operating a server: asking it, its keys, its memory. One subject, one file or folder."""
