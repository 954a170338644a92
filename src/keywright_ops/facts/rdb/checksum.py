"""The checksum at a dump's end: CRC-64 with the polynomial of Jones, bits reflected, beginning with 0.

The polynomial is AD93D23594C935A9, here with its bits in reverse. A server that was told `rdbchecksum no`
writes 0, which says that there is none. A byte at a time is all that plain Python can do: slow.
"""

from keywright_ops.facts.rdb.damage import FETCH, DamagedDump
from keywright_ops.facts.rdb.strings import Data

POLYNOMIAL = 0x95AC9329AC4BC9B5
BYTES = 8
FIRST_VERSION = 5
CHUNK = 1 << 20  # bytes that are copied at a time


def checksum_size(version: int) -> int:
    """Return how many bytes the checksum takes; dumps before version 5 have none."""
    return BYTES if version >= FIRST_VERSION else 0


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


def checksum(data: Data, end: int) -> int:
    """Return the checksum of the bytes before `end`."""
    table, value = _table(), 0
    for begin in range(0, end, CHUNK):
        for byte in data[begin : min(end, begin + CHUNK)]:
            value = table[value & 0xFF ^ byte] ^ value >> 8
    return value


def verify_checksum(data: Data, version: int) -> None:
    """Raise DamagedDump when the last 8 bytes are not the checksum of those before; 0 says: not taken."""
    if not checksum_size(version):
        return
    end = len(data) - BYTES
    said = int.from_bytes(data[end:], "little") if end > 0 else 0
    if said and said != checksum(data, end):
        raise DamagedDump(
            f"the dump's checksum, at byte {end}, is not the one of its bytes: some were changed",
            FETCH,
        )
