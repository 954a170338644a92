"""Whether a condition holds, judged from facts alone."""

from typing import assert_never

from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import REFUSALS
from keywright_ops.model.step import (
    Accepts,
    Answers,
    Condition,
    FieldIs,
    FileIs,
    LineComesBack,
    NothingRuns,
    Presents,
    ProcessGone,
    Said,
    SessionsGone,
    SnapshotFailed,
    Speaks,
)


def holds(condition: Condition, facts: Facts) -> bool | Missing:
    """Return yes, no, or Missing with the reason why it cannot be told."""
    match condition:
        case FieldIs(question, field, value):
            answers = facts.info if question == "info" else facts.config
            if isinstance(answers, Missing):
                return answers
            return answers.get(field) == value
        case FileIs(path, digest):
            file = facts.files.get(path, Missing("not asked"))
            if isinstance(file, Missing):
                return digest is None if file.why == NOT_THERE else file
            return file.digest == digest
        case Answers():
            return _answers(facts)
        case Speaks():
            turned_away = isinstance(facts.info, Missing) and facts.info.why.startswith(REFUSALS)
            return turned_away or _answers(facts)
        case ProcessGone(pid, start):
            process = facts.process
            return isinstance(process, Missing) or (process.pid, process.start) != (pid, start)
        case NothingRuns():
            return isinstance(facts.process, Missing)
        case Said(text):
            log = facts.log
            return log if isinstance(log, Missing) else any(text in each.lower() for each in log)
        case Accepts(user, hashes):
            users = facts.users
            if isinstance(users, Missing):
                return users
            return user in users and hashes <= users[user].hashes
        case SessionsGone(ids):
            clients = facts.clients
            if isinstance(clients, Missing):
                return clients
            return not ids & {client.id for client in clients}
        case Presents(fingerprint):
            seen = facts.certificate
            return seen if isinstance(seen, Missing) else seen.fingerprint == fingerprint
        case SnapshotFailed():
            if isinstance(facts.info, Missing):
                return facts.info
            asked = ("rdb_bgsave_in_progress", "rdb_last_bgsave_status")
            return [facts.info.get(name) for name in asked] == ["0", "err"]
        case LineComesBack():
            return facts.line
        case _:
            assert_never(condition)


def _answers(facts: Facts) -> bool | Missing:
    """The server is the environment's own, knows its administrator and has loaded its data."""
    if isinstance(facts.info, Missing):
        return facts.info
    if isinstance(facts.process, Missing):
        return facts.process
    own = facts.info.get("process_id") == str(facts.process.pid)
    return own and facts.info.get("loading", "0") == "0"


def questions(conditions: tuple[Condition, ...]) -> frozenset[str]:
    """Return the names of the questions that must be asked to judge these conditions."""
    wanted: set[str] = set()
    for condition in conditions:
        match condition:
            case FieldIs(question, _, _):
                wanted.add(question)
            case SnapshotFailed():
                wanted.add("info")
            case FileIs():
                wanted.add("files")
            case Answers() | Speaks():
                wanted |= {"info", "process"}
            case ProcessGone() | NothingRuns():
                wanted.add("process")
            case Said():
                wanted.add("log")
            case Accepts():
                wanted.add("users")
            case SessionsGone():
                wanted.add("clients")
            case Presents():
                wanted.add("certificate")
            case LineComesBack():
                wanted.add("line")
            case _:
                assert_never(condition)
    return frozenset(wanted)
