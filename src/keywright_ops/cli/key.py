"""`keywright key show|set|edit|expire|persist|rename|copy|delete NAME`: one key, looked at or changed."""

import argparse

from keywright.errors import InputError
from keywright_ops.cli.amounts import octets, share
from keywright_ops.cli.arguments import changing
from keywright_ops.cli.looking import looking

VERBS = ("show", "set", "edit", "expire", "persist", "rename", "copy", "delete")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add key's own arguments."""
    parser.add_argument("verb", choices=VERBS, help="what to do")
    parser.add_argument(
        "words",
        nargs="*",
        metavar="NAME",
        help="the key; set: NAME VALUE, expire: NAME TIME, rename and copy: NAME NEW, delete: NAME …",
    )
    parser.add_argument(
        "--page", type=int, metavar="N", help="show: so many members, or bytes of a string, at once"
    )
    parser.add_argument("--from", dest="start", metavar="PLACE", help="show: go on from there")
    parser.add_argument("--all", action="store_true", help="show: the whole value, page by page")
    parser.add_argument(
        "--raw", action="store_true", help="show: the value's own bytes, all of them"
    )
    parser.add_argument("--ttl", metavar="TIME", help="set: ends after 1h …; none: never")
    parser.add_argument(
        "--from-file", metavar="FILE", help="set: the value is in a file (-: stdin)"
    )
    parser.add_argument("--nx", action="store_true", help="set: only when there is no such key")
    parser.add_argument("--xx", action="store_true", help="set: only when there is one")
    parser.add_argument(
        "--replace", action="store_true", help="rename, copy: over a key that is there already"
    )
    parser.add_argument("--pattern", metavar="PATTERN", help="delete: every key that it means")
    parser.add_argument("--no-copy", action="store_true", help="delete: keep no copy first")
    parser.add_argument(
        "--copy-limit", type=octets, metavar="SIZE", help="delete: largest copy (1gb)"
    )
    parser.add_argument("--pace", type=share, metavar="SHARE", help="delete: of the server's time")
    looking(parser)
    changing(parser)


ONLY = {
    "page": ("show",), "start": ("show",), "all": ("show",), "raw": ("show",), "ttl": ("set",),
    "from_file": ("set",), "nx": ("set",), "xx": ("set",), "replace": ("rename", "copy"),
    "pattern": ("delete",), "no_copy": ("delete",), "copy_limit": ("delete",), "pace": ("delete",),
    "dry_run": VERBS[1:], "yes": VERBS[1:],
}  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says; an option of another verb is a mistake."""
    for option, verbs in ONLY.items():
        if getattr(arguments, option) and arguments.verb not in verbs:
            name = {"start": "from"}.get(option, option.replace("_", "-"))
            raise InputError(f"--{name} belongs to key {', '.join(verbs)}", "keywright key --help")
    if arguments.verb == "show":
        from keywright_ops.cli.key_show import run_show

        return run_show(arguments, arguments.words)
    if arguments.verb == "delete":
        from keywright_ops.cli.keys_bulk import run_delete

        return run_delete(arguments)
    if arguments.verb == "edit":
        from keywright_ops.cli.key_edit import run_edit

        return run_edit(arguments, arguments.words)
    from keywright_ops.cli.key_change import run_change

    return run_change(arguments, arguments.words)
