"""Reads a dump (RDB file) key by key and decodes no value: bytes in, entries out; no file, no clock."""
