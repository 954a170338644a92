"""Keywright for Django: a session engine, the middleware that answers 503, and a cache backend.

SESSION_ENGINE = "keywright.contrib.django.sessions"
CACHES = {"default": {"BACKEND": "keywright.contrib.django.cache.RedisCache"}}
"""
