"""What must be true of an environment, and whether the facts say so. Pure."""
