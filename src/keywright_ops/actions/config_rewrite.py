"""config rewrite: refused where redis.conf is rendered; elsewhere done after a copy of it."""

import time
from typing import NamedTuple

from keywright.errors import ApplyError, Refused, ReplyError
from keywright_ops.actions.config import live_settings
from keywright_ops.actions.reach import Reached
from keywright_ops.apply.lock import lock
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.setting_danger import shown
from keywright_ops.model.absence import Missing

SENDS = ("INFO", "CONFIG GET", "CONFIG REWRITE")


class Rewritable(NamedTuple):
    """A redis.conf that is the server's own: its place, and where the copy of it goes."""

    path: str
    copy: str
    before: dict[str, str]


class RewriteReport(NamedTuple):
    """What a rewrite changed in the file: name, before, after (None: not named); secrets hidden."""

    path: str
    copy: str
    changed: tuple[tuple[str, str | None, str | None], ...]


def rewritable(reached: Reached) -> Rewritable:
    """Return which file would be rewritten. Raises Refused where it is Keywright's, or there is none."""
    opened = reached.opened
    path = parse_info(reached.call("INFO", "server")).get("config_file", "")
    if opened is None or not path:
        raise Refused(
            "the server runs without a redis.conf: there is nothing to rewrite",
            "a managed service keeps settings in its own console"
            if opened is None
            else "`keywright up` writes one",
        )
    if live_settings(reached, "aclfile").get("aclfile"):
        raise Refused(
            "redis.conf is written from keywright.toml: what the server rewrote there would be lost",
            "`keywright diff` shows what differs, and `keywright config get` which side says what;"
            " write it in keywright.toml, then `keywright up`",
        )
    content = opened.target.transport.read(path)
    if isinstance(content, Missing):
        raise Refused(f"{path} cannot be read, so no copy can be kept: {content.why}")
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    before = parse_redis_conf(content.decode("utf-8", "surrogateescape"))
    return Rewritable(path, f"{path}.{moment}.keywright", before)


def config_rewrite(reached: Reached, wanted: Rewritable) -> RewriteReport:
    """Keep a copy, have the server rewrite its file, and return what changed. Raises ApplyError."""
    assert reached.opened is not None
    transport = reached.opened.target.transport
    with lock(f"{reached.home}/lock", "keywright config rewrite"):
        transport.copy(wanted.path, wanted.copy)
        reply = reached.ask([("CONFIG", "REWRITE")])[0]
        if isinstance(reply, ReplyError):
            transport.remove(wanted.copy)
            raise ApplyError(
                f"the server cannot rewrite {wanted.path}: {str(reply).removeprefix('ERR ')}",
                "it writes a new file beside it and renames that: may its account do so there?",
            )
        content = transport.read(wanted.path)
    text = b"" if isinstance(content, Missing) else content
    after = parse_redis_conf(text.decode("utf-8", "surrogateescape"))
    names = sorted({*wanted.before, *after})
    changed = tuple(
        (name, _shown(name, wanted.before.get(name)), _shown(name, after.get(name)))
        for name in names
        if wanted.before.get(name) != after.get(name)
    )
    return RewriteReport(wanted.path, wanted.copy, changed)


def _shown(name: str, value: str | None) -> str | None:
    return None if value is None else shown(name, value)
