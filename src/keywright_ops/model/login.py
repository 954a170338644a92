"""Under which names Keywright knocks at a server."""

ADMIN = "admin"  # the ACL user as whom Keywright asks and changes
NOBODY = "nobody"  # sends no AUTH at all
STRANGER = "stranger"  # the default user, with a password that is wrong
REFUSALS = ("WRONGPASS", "NOAUTH", "NOPERM")  # how a server answers that does not know its admin
