"""The entry: finds the command's file, runs it, turns errors into one sentence and an exit code.

Rule: this file imports only `sys` at its top, so that `--version` costs no more than the interpreter.
"""

import sys

TYPE_CHECKING = False  # typing itself would cost `--version` a third of its time
if TYPE_CHECKING:
    from keywright.errors import KeywrightError

# word → (file in this folder, group in the help, one line); the file has `arguments` and `run`
COMMANDS = {
    "up": ("up", "deploying", "bring an environment to its plan, and prove it"),
    "down": ("down", "deploying", "stop the server; its data stays"),
    "restart": ("restart", "deploying", "stop and start it, and prove that the data is there"),
    "status": ("status", "deploying", "one glance: does it run, how full is it"),
    "check": ("check", "deploying", "prove it again, without disturbing it"),
    "diff": ("diff", "deploying", "what `up` would change"),
    "render": ("render", "deploying", "write every artefact of an environment"),
    "compare": ("compare", "deploying", "environments side by side"),
    "init": ("init", "deploying", "write a commented keywright.toml"),
    "explain": ("explain", "deploying", "what a setting means, is, and where it comes from"),
    "env": ("env", "deploying", "the application's .env; `env check FILE` reads one"),
    "info": ("info", "looking", "what the server says of itself (INFO)"),
    "memory": ("memory", "looking", "how much is used, for what, of how much; is that well"),
    "stats": ("stats", "looking", "what it does in a second: commands, hits, evictions, network"),
    "clients": ("clients", "looking", "who is connected; `clients kill` ends connections"),
    "slowlog": ("slowlog", "looking", "what took long, by the shape of its commands, and who"),
    "latency": ("latency", "looking", "the round trip, percentiles of commands, and what stalled"),
    "commandstats": ("commandstats", "looking", "each command: calls, time, failures, percentiles"),
    "top": ("top", "looking", "a live screen: load, memory, clients, slow commands"),
    "keys": ("keys", "data and logs", "which keys there are, by SCAN; bulk delete and expire"),
    "key": ("key", "data and logs", "one key: show, set, edit, expire, rename, copy, delete"),
    "sessions": (
        "sessions",
        "data and logs",
        "the application's sessions: whose, how old; end them",
    ),
    "analyze": ("analyze", "data and logs", "the keyspace by prefix, type, size and lifetime"),
    "monitor": ("monitor", "data and logs", "who sends which commands, for a while"),
    "shell": ("shell", "data and logs", "type commands: completion, help, guarded"),
    "redis": ("redis", "data and logs", "one command, as redis-cli: keywright redis GET key"),
    "logs": ("logs", "data and logs", "what the servers wrote: found, followed, by time"),
    "config": ("config", "changing", "settings: the server's, redis.conf's, the plan's; set one"),
    "acl": ("acl", "changing", "users and their rights in words; may one; who was refused"),
    "password": ("password", "changing", "rotate passwords without a failed command; their age"),
    "tls": ("tls", "changing", "the server's certificate: issue, renew, show"),
    "firewall": ("firewall", "changing", "who may come in; the commands for Azure and AWS"),
    "insight": ("insight", "changing", "RedisInsight by itself: up, status, down"),
    "tunnel": ("tunnel", "changing", "reach RedisInsight on a remote host, through ssh"),
    "flush": ("flush", "changing", "remove all keys, a database or a pattern; keeps a copy first"),
    "persist": (
        "persist",
        "changing",
        "write a snapshot now, watched to its end; how data is kept",
    ),
    "completion": ("completion", "shell", "the completion script for bash, zsh or fish"),
}

EXIT_WELL, EXIT_FAILED, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_REFUSED = range(5)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code (docs/reference/exit-codes.md)."""
    words = sys.argv[1:] if argv is None else argv
    if sys.platform == "win32":
        print("keywright: Windows is not supported: use WSL, or a Linux machine", file=sys.stderr)
        return EXIT_USAGE
    if words in (["--version"], ["-V"]):
        from keywright import __version__

        print(f"keywright {__version__}")
        return EXIT_WELL
    try:
        return _run(words)
    except KeyboardInterrupt:
        print("\nkeywright: interrupted; the same command goes on where it ended", file=sys.stderr)
        return 130
    finally:
        if argv is None:
            # The command has ended: what is left is Python's own, and no place for Ctrl-C.
            # (Built in, without a stub; `signal` itself would cost `status` an import.)
            import _signal  # type: ignore[import-not-found]

            _signal.signal(_signal.SIGINT, _signal.SIG_IGN)


def _run(words: list[str]) -> int:
    from keywright.errors import KeywrightError
    from keywright_ops.cli.show import show_error
    from keywright_ops.cli.streams import output_problem, steady_streams

    steady_streams()
    try:
        try:
            code = _answered(words)
        except (
            BrokenPipeError
        ):  # the reader has what it wanted (`| head`), or the bytes had no room
            code = EXIT_WELL
        problem = output_problem()
        if problem:
            print(f"keywright: cannot write the output: {problem}", file=sys.stderr)
            return code or EXIT_FAILED
        return code
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("keywright", "keywright_ops"):
            raise
        print(
            f"keywright: this command needs {error.name}, which is not installed\n"
            "  hint: pip install 'keywright[ops]'",
            file=sys.stderr,
        )
        return EXIT_USAGE
    except KeywrightError as error:
        show_error(error, _environment(words))
        return exit_code(error)
    except Exception as error:  # noqa: BLE001 - nobody shall read a traceback at three in the morning
        show_error(_mistake(error))
        return EXIT_FAILED


def _environment(words: list[str]) -> str | None:
    """The environment that the words name; None when they name none."""
    for word, value in zip(words, [*words[1:], ""], strict=True):
        if word in ("-e", "--env"):
            return value
        if word.startswith("--env="):
            return word.partition("=")[2]
    return None


def _mistake(error: Exception) -> "KeywrightError":
    """A mistake of ours as a sentence: where it is, not how we got there; never a value."""
    import os
    import traceback

    from keywright.errors import KeywrightError

    if os.environ.get("KEYWRIGHT_TRACEBACK"):
        raise error
    place = traceback.extract_tb(error.__traceback__)[-1]
    kind, file = type(error).__name__, os.path.basename(place.filename)
    why = f" ({error.strerror})" if isinstance(error, OSError) else ""
    return KeywrightError(
        f"this is a mistake in Keywright: {kind}{why} in {file}, line {place.lineno}",
        "the same command goes on where it ended; KEYWRIGHT_TRACEBACK=1 shows the way there",
    )


def _answered(words: list[str]) -> int:
    """Run the command; help and wrong words, which end the parser, are answers too."""
    from keywright_ops.cli.arguments import parse

    try:
        arguments, command = parse(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_WELL
    return command.run(arguments)


def exit_code(error: Exception) -> int:
    """Return the exit code of an error, by the one table."""
    from keywright.errors import InputError, Refused, Unreachable

    if isinstance(error, InputError):
        return EXIT_USAGE
    if isinstance(error, Unreachable):
        return EXIT_UNREACHABLE
    return EXIT_REFUSED if isinstance(error, Refused) else EXIT_FAILED
