"""The nouns that travel between the rooms: frozen, without verbs that touch the world."""
