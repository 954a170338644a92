"""Profile (and what the host tells) → Plan: every decision, once."""
