"""What kind of place this process runs in."""

import os

# What a container leaves behind for its processes to see: Docker's mark, and Podman's.
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def in_container() -> bool:
    """Whether this process runs in a container (Docker's or Podman's mark is there)."""
    return any(os.path.exists(mark) for mark in CONTAINER_MARKS)
