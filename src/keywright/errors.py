"""Everything Keywright raises on purpose: one sentence for a person, and a hint.

    KeywrightError
    ├── InputError            what a person wrote is wrong; nothing was changed   (exit 2)
    │   ├── SettingsError     a variable, a URL or a .env file
    │   ├── ProfileError      keywright.toml; the message begins with the path in the file
    │   └── CachingDisabled   ENABLE_REDIS_CACHING is false, and a server was asked for
    ├── Unreachable           the server or the host does not answer              (exit 3)
    │   ├── NotThere          nobody listens there at this moment: it may be starting
    │   ├── ConnectionLost    it answered, and then the line broke
    │   │   └── TimedOut      it did not answer in time
    │   └── Busy              more is under way than the limit allows, for longer than the time-out
    ├── OutcomeUnknown        the line broke after a command left that must not be sent twice
    ├── ReplyError            the server answered with an error (code: NOAUTH, WRONGPASS, NOPERM …)
    ├── ProtocolError         the peer does not speak RESP
    ├── Refused               not confirmed, or the lock is held                  (exit 4)
    ├── SessionError          what a session store cannot do
    │   ├── SessionGone       it ended: expired, logged out, or never was
    │   ├── SessionChanged    somebody else saved it meanwhile
    │   └── SessionUnreadable what is stored was written by something else, or with another key
    ├── LockError             what a lock cannot do
    │   ├── LockTimeout       somebody else held it for the whole waiting time
    │   └── LockLost          it was held, and is not any more
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


class CachingDisabled(InputError):
    """ENABLE_REDIS_CACHING is false, and what was asked for needs a server."""


class ProfileError(InputError):
    """keywright.toml is wrong; the message begins with the path inside the file."""


class Unreachable(KeywrightError, OSError):
    """Nobody answers where the server should be."""


class NotThere(Unreachable):
    """Nobody listens there at this moment, or no sentinel names a master: asking again soon may help."""


class ConnectionLost(Unreachable):
    """The server answered, and then the connection broke."""


class TimedOut(ConnectionLost):
    """The server did not answer within the time-out; the connection was closed."""


class Busy(Unreachable):
    """More is under way than the limit allows, and no place came free within the time-out."""


class OutcomeUnknown(KeywrightError):
    """The connection broke after a command left that must not be sent twice: it may have happened."""


class ReplyError(KeywrightError):
    """The server answered with an error; `code` is its first word, such as NOAUTH."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = message.partition(" ")[0]

    @property
    def hint(self) -> str:
        """What to do next: what was given, else what is known of the code."""
        from keywright.refusals import hint_for  # only for those who look

        return self._hint or hint_for(self)

    @hint.setter
    def hint(self, hint: str) -> None:
        self._hint = hint


class ProtocolError(KeywrightError):
    """The peer does not speak RESP: wrong port, or TLS on one side only."""


class Refused(KeywrightError):
    """Keywright would not do it: not confirmed, not its own, or somebody holds the lock."""


class ApplyError(KeywrightError):
    """A step failed; the message says which, and what was undone."""


class SessionError(KeywrightError):
    """The root of what a session store raises."""


class SessionGone(SessionError):
    """The session ended: it expired, was logged out, or never was; nothing was written."""


class SessionChanged(SessionError):
    """Somebody else saved the session since it was loaded; nothing was written."""


class SessionUnreadable(SessionError):
    """What is stored was written by something else, or with another key or serializer."""


class LockError(KeywrightError):
    """The root of what a lock raises."""


class LockTimeout(LockError):
    """Somebody else held the lock for as long as was waited."""


class LockLost(LockError):
    """The lock was held and is not any more: its time ended, or somebody removed it."""


# The server is away, or refuses: whoever can do without it catches these.
AWAY = (Unreachable, OutcomeUnknown, ProtocolError, ReplyError)
