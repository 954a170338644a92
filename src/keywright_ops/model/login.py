"""Under which names Keywright knocks at a server."""

ADMIN = "admin"  # the ACL user as whom Keywright asks and changes
NOBODY = "nobody"  # sends no AUTH at all
STRANGER = "stranger"  # the default user, with a password that is wrong
REFUSALS = ("WRONGPASS", "NOAUTH", "NOPERM")  # how a server answers that does not know its admin


def other(user: str) -> str:
    """Return how to knock as this user with the password that is not named at present.

    No user's name holds a blank: an ACL file could not carry it.
    """
    return f"{user} other"


def user_of(login: str) -> str:
    """Return the user's name of a login."""
    return login.partition(" ")[0]
