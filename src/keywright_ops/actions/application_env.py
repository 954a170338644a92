"""The application's .env where it is the developer's own: Keywright's lines in it, and what to know."""

import os
from hashlib import sha256

from keywright.errors import InputError, KeywrightError
from keywright.secret import Secret
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.images import without_insight
from keywright_ops.checks.application_env import judge_dotenv
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.plan import Plan, Warning
from keywright_ops.model.step import Step, WriteFile
from keywright_ops.render.dotenv import dotenv_values, render_marked
from keywright_ops.render.dotenv_lines import put_lines, written_whole

OTHERS = 0o007


def settle_dotenv(file: WholeFile, opened: Opened) -> WholeFile:
    """Return the .env to be written: the whole file where it is Keywright's, else theirs with our lines.

    A link is followed. Raises InputError for a file that cannot be read or holds no text.
    """
    path = os.path.realpath(file.path)
    present = _read(path, opened)
    if present is None or written_whole(present, frozenset(_values(opened))):
        return file._replace(path=path)
    text = put_lines(present, render_marked(opened.plan, opened.secrets))
    made_from = sha256(present.encode("utf-8", "surrogateescape")).hexdigest()
    return WholeFile(path, Secret(text), _mode(path), made_from)


def noticed(opened: Opened, steps: tuple[Step, ...] | None = None) -> Plan:
    """Return the plan with what the application's .env gives reason to warn of.

    With `steps`, those of an `up`, git is asked only when the .env was among what they wrote.
    """
    plan = opened.plan
    written = [step.do.path for step in steps or () if isinstance(step.do, WriteFile)]
    ask_git = steps is None or _path(opened) in written
    found = dotenv_warnings(opened) + (git_warnings(opened) if ask_git else ())
    return plan._replace(warnings=(*plan.warnings, *found, *without_insight(opened)))


def dotenv_warnings(opened: Opened) -> tuple[Warning, ...]:
    """Return what in the developer's own .env keeps the application from reading Keywright's lines.

    () for a file that is Keywright's alone. A value is never among the words.
    """
    present = _read(_path(opened), opened)
    values = _values(opened)
    if present is None or written_whole(present, frozenset(values)):
        return ()
    return judge_dotenv(opened.plan.application.dotenv, present, values)


def git_warnings(opened: Opened) -> tuple[Warning, ...]:
    """Return a warning when git would take the .env with the password along; one or two runs of git."""
    named, path = opened.plan.application.dotenv, _path(opened)
    folder, name = os.path.split(path)
    if not os.path.lexists(path) or not _in_work_tree(folder):
        return ()
    run = opened.target.transport.run
    try:
        ignored = run(("git", "-C", folder, "check-ignore", "-q", "--", name)).code
        if ignored != 1:
            return ()  # 0: ignored; everything else: git does not want to say
        tracked = run(("git", "-C", folder, "ls-files", "--error-unmatch", "--", name)).code == 0
    except KeywrightError:
        return ()  # there is no git
    if tracked:
        text = "git keeps this file, and with it the password: `git rm --cached` it and ignore it"
    else:
        text = "git does not ignore this file, and it holds a password: add it to .gitignore"
    return (Warning(named, text),)


def _path(opened: Opened) -> str:
    """Where the .env really lies."""
    return os.path.realpath(os.path.join(opened.base, opened.plan.application.dotenv))


def _values(opened: Opened) -> dict[str, str]:
    return dotenv_values(opened.plan, opened.secrets)


def _in_work_tree(folder: str) -> bool:
    """Whether a repository lies at or above the folder: only then is it worth asking git."""
    while True:
        if os.path.lexists(f"{folder}/.git"):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _read(path: str, opened: Opened) -> str | None:
    """The file's text, every octet kept; None when there is none."""
    content = opened.target.transport.read(path)
    if isinstance(content, Missing):
        if content.why == NOT_THERE:
            return None
        raise InputError(
            f"the application's .env cannot be read: {content.why}",
            f"env.{opened.plan.environment}.app.dotenv names another file",
        )
    if b"\0" in content:
        raise InputError(
            f"{path} is not text that a program reads as .env (UTF-16?)", "save it as UTF-8"
        )
    return content.decode("utf-8", "surrogateescape")


def _mode(path: str) -> int:
    """The file's mode, closed to others; to its group too where the group could not be kept."""
    try:
        found = os.stat(path)
    except OSError:
        return 0o600
    mode = found.st_mode & 0o777 & ~OTHERS
    may_keep = os.geteuid() == 0 or found.st_gid in (os.getegid(), *os.getgroups())
    return mode if may_keep else mode & ~0o070
