"""Passes over what modules write: values and notes of which only the outer form is known.

A module's value is a row of marked parts: 1 and 2 an integer (written as a length), 3 four bytes, 4 eight
bytes, 5 a string; 0 ends it. Before them stands the module's number: nine characters of six bits, which
are the name that TYPE answers, and ten bits of its version.
"""

from keywright_ops.facts.rdb.damage import damaged
from keywright_ops.facts.rdb.strings import Data, read_length, skip_lengths, skip_strings

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
VECTORS = "vectorset"
CLASS = 4  # bytes of what says whose the metadata of a key are


def module_name(number: int) -> str:
    """Return a module type's name from its number."""
    return "".join(ALPHABET[number >> 10 + 6 * place & 0x3F] for place in range(8, -1, -1))


def skip_parts(data: Data, at: int) -> int:
    """Pass over the parts up to the one that ends them."""
    while True:
        part, at = read_length(data, at)
        if part == 0:
            return at
        if part in (1, 2):
            at = skip_lengths(data, at, 1)
        elif part == 5:
            at = skip_strings(data, at, 1)
        elif part in (3, 4):
            at += 4 if part == 3 else 8
        else:
            raise damaged(f"a module's part of kind {part}", at)


def skip_module(data: Data, at: int) -> tuple[int, int]:
    """Pass over a module's value; of a vector set the vectors are counted, of others nothing: 0.

    A vector set begins with its dimension and how many vectors it has, two integers.
    """
    number, at = read_length(data, at)
    end = skip_parts(data, at)
    if module_name(number) != VECTORS or data[at] != 2:
        return 0, end
    at = skip_lengths(data, at + 1, 1)
    return (read_length(data, at + 1)[0] if data[at] == 2 else 0), end


def skip_module_note(data: Data, at: int) -> int:
    """Pass over what a module keeps beside the keys; when it is to be loaded is its first part."""
    return skip_parts(data, skip_lengths(data, at, 1))


def skip_key_note(data: Data, at: int) -> int:
    """Pass over what modules keep with the next key, as Redis 8.6 writes it: a count, and parts of each."""
    classes, at = read_length(data, at)
    while classes > 0:
        at = skip_parts(data, at + CLASS)
        classes -= 1
    return at
