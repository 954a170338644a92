"""Logs: where each environment's lie, what a line of them says, and finding lines fast."""
