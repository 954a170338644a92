"""Durations, sizes and shares as people write them in options: 1h, 90s, 10mb, 25%."""

import argparse

from keywright_ops.facts.escapes import pattern
from keywright_ops.profile.values import NotThat, parse_duration, parse_redis_size


def milliseconds(text: str) -> int:
    """Read a duration such as 1h, 90s or 3600 (seconds): milliseconds, at least one."""
    try:
        amount = parse_duration(text) // 1000
    except NotThat as error:
        raise argparse.ArgumentTypeError(f"{error}: {error.hint}") from None
    if amount < 1:
        raise argparse.ArgumentTypeError("a duration above nothing is needed: write 1h, 30s or 1d")
    return amount


def octets(text: str) -> int:
    """Read a size such as 10kb or 1mb: bytes."""
    try:
        return parse_redis_size(int(text) if text.isdigit() else text)
    except NotThat as error:
        raise argparse.ArgumentTypeError(f"{error}: {error.hint}") from None


def share(text: str) -> float:
    """Read a share such as 25% or 0.25: above 0, at most 1."""
    try:
        amount = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        amount = 0.0
    if not 0 < amount <= 1:
        raise argparse.ArgumentTypeError("a share from 1% to 100% is needed, for example 25%")
    return amount


def bound(text: str) -> tuple[str, int]:
    """Read a condition on the time that is left: none, <1h, >1d."""
    if text == "none":
        return "none", 0
    if text[:1] in ("<", ">"):
        return text[0], milliseconds(text[1:])
    raise argparse.ArgumentTypeError(f"{text!r} is none of none, '<1h', '>1d' (in quotes)")


def glob(text: str) -> bytes:
    r"""Read a pattern of names; \xNN is a byte."""
    return pattern(text)
