"""The .env file: read as each program reads it, written so that most agree, compared.

Pure except `load_file`. Loaded only by who reads or writes such a file.
"""

from keywright.dotenv.compare import Finding, compare_dialects
from keywright.dotenv.dialects import DIALECTS, TITLES, decode_file, load_file, read
from keywright.dotenv.reading import Entry, Reading, Skipped
from keywright.dotenv.write import Quoting, quote_for, write_line

__all__ = [
    "DIALECTS",
    "TITLES",
    "Entry",
    "Finding",
    "Quoting",
    "Reading",
    "Skipped",
    "compare_dialects",
    "decode_file",
    "load_file",
    "quote_for",
    "read",
    "write_line",
]
