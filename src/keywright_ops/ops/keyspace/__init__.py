"""The keys of a server: walked by SCAN, looked at, changed in bulk, kept before they go."""
