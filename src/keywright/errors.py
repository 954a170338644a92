"""Everything Keywright raises on purpose: one sentence for a person, and a hint.

    KeywrightError
    ├── InputError            what a person wrote is wrong; nothing was changed   (exit 2)
    │   ├── SettingsError     a variable, a URL or a .env file
    │   └── ProfileError      keywright.toml; the message begins with the path in the file
    ├── Unreachable           the server or the host does not answer              (exit 3)
    │   └── ConnectionLost    it answered, and then the line broke
    ├── ReplyError            the server answered with an error (code: NOAUTH, WRONGPASS, NOPERM …)
    ├── ProtocolError         the peer does not speak RESP
    ├── Refused               not confirmed, or the lock is held                  (exit 4)
    └── ApplyError            a step failed; says what was undone                 (exit 1)

Rules. A message is one sentence, lower case, without a full stop, and never holds a secret.
A hint is a thing to do or a question to ask.
"""


class KeywrightError(Exception):
    """The root: `str(error)` is the sentence, `error.hint` what to do next ("" if nothing)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(KeywrightError, ValueError):
    """What a person wrote is wrong; nothing was changed."""


class SettingsError(InputError):
    """A variable of the application, a connection URL or a .env file is wrong."""


class ProfileError(InputError):
    """keywright.toml is wrong; the message begins with the path inside the file."""


class Unreachable(KeywrightError, OSError):
    """Nobody answers where the server should be."""


class ConnectionLost(Unreachable):
    """The server answered, and then the connection broke."""


class ReplyError(KeywrightError):
    """The server answered with an error; `code` is its first word, such as NOAUTH."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = message.partition(" ")[0]


class ProtocolError(KeywrightError):
    """The peer does not speak RESP: wrong port, or TLS on one side only."""


class Refused(KeywrightError):
    """Keywright would not do it: not confirmed, not its own, or somebody holds the lock."""


class ApplyError(KeywrightError):
    """A step failed; the message says which, and what was undone."""
