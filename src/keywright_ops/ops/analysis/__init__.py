"""The keyspace by pattern: read from a server or an RDB file, added up by prefix, type and lifetime."""
