"""A plan, and where needed its secrets, written as text. Decides nothing, touches nothing."""
