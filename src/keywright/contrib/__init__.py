"""Sessions, cache and health for web frameworks; each module needs its framework and nothing else does."""
