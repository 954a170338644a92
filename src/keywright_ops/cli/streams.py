"""Standard output and error that never break a command in its middle.

A pipe that closes (`| head`), a full disk behind `>`, a closed descriptor (`>&-`) and an encoding that
has no ✓ are the reader's affair: a change that has begun is finished, and the exit code tells the truth.
"""

import codecs
import io
import os
import sys

# What a terminal without UTF-8 gets; every other character it does not know becomes a backslash escape.
PLAIN = {
    "✓": "+",
    "✗": "x",
    "…": "...",
    "·": "-",
    "→": "->",
    "↺": "<",
    "•": "*",
    "≤": "<=",
    "–": "-",
    **dict.fromkeys("▏▎▍▌▋▊▉", "|"),
    **dict(zip("▁▂▃▄▅▆▇█·", "._-=+*%#.", strict=True)),
}


def plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace what the stream's encoding cannot say (a codec error handler)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    told = "".join(
        PLAIN.get(char, char.encode("ascii", "backslashreplace").decode()) for char in text
    )
    return told, error.end


class Steady(io.TextIOWrapper):
    """A text stream that goes silent instead of raising; `problem` is why, unless its reader left."""

    problem = ""

    def write(self, text: str) -> int:
        """Write, or be silent."""
        try:
            return super().write(text)
        except OSError as error:
            self._silence(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or be silent."""
        try:
            super().flush()
        except OSError as error:
            self._silence(error)

    def octets(self, data: bytes) -> None:
        """Write bytes past the encoding. Raises BrokenPipeError when they can go nowhere; why is kept."""
        self.flush()
        try:
            self.buffer.write(data)
            self.buffer.flush()
        except OSError as error:
            self._silence(error)
            raise BrokenPipeError from None

    def _silence(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            self.problem = error.strerror or str(error)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def steady_streams() -> None:
    """Put steady streams in the place of standard output and error; what is closed becomes empty."""
    codecs.register_error("keywright.plain", plain)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for good
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for good
        elif type(stream) is io.TextIOWrapper:  # not what a test put in its place
            lines = stream.line_buffering or name == "stderr"
            through = stream.write_through  # PYTHONUNBUFFERED
            encoding = stream.encoding
            steady = Steady(
                stream.detach(),
                encoding,
                "keywright.plain",
                line_buffering=lines,
                write_through=through,
            )
            setattr(sys, name, steady)


def write_octets(data: bytes) -> None:
    """Write bytes to standard output. Raises BrokenPipeError when nobody reads, or nothing can be written."""
    out = sys.stdout
    if isinstance(out, Steady):
        out.octets(data)
        return
    out.flush()
    out.buffer.write(data)
    out.buffer.flush()


def output_problem() -> str:
    """Why what was printed did not arrive ("" when it did, or when nobody wanted it any more)."""
    sys.stdout.flush()
    return getattr(sys.stdout, "problem", "")
