"""What is said of a dump that cannot be read."""

from keywright.errors import InputError

FETCH = "copy the dump again, or check it where it was written with redis-check-rdb"


class DamagedDump(InputError):
    """The dump is cut off, damaged or of another kind; the message says what stands at which byte."""


def cut_off(begun: int, size: int) -> DamagedDump:
    """Return the error for a record that goes on beyond the last byte.

    A file that was cut off looks so, and one whose lengths were damaged.
    """
    return DamagedDump(
        f"the dump is cut off or damaged: the record at byte {begun} goes on beyond the end at byte {size}",
        FETCH,
    )


def damaged(what: str, at: int) -> DamagedDump:
    """Return the error for something at a byte that no server writes."""
    return DamagedDump(f"the dump is damaged at byte {at}: {what}", FETCH)
