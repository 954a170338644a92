"""What `--json` prints is what docs/reference/json.md says: every field, by name, and no other."""

import json
import re
from pathlib import Path

import pytest
from tests.embedded.stranger import Person

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text()
HEAD = {"schema", "app", "environment", "kind"}

STATUS = (
    "running answers why server keys used_memory maxmemory clients evicted_keys restart_proof state"
    " certificate"
)
STATS = (
    "seconds reset per_second processors hit_ratio total total_hit_ratio clients blocked_clients errors"
    " busiest uptime"
)
# report → the words that ask for it (FILE is a .env in the project), and what it holds beside the head
REPORTS = {
    "up": (("up",), "steps proofs server address url dotenv state restart_proof warnings timing"),
    "check": (("check",), "proofs server restart_proof warnings timing"),
    "status": (
        ("status",),
        f"{STATUS} certificate container oldest_password rotations",
    ),
    "diff": (("diff",), "dry_run steps"),
    "render": (("render",), "files rules written warnings"),
    "env": (("env",), "text path"),
    "env-check": (("env", "check", "FILE"), "path findings"),
    "compare": (("compare", "dev", "prod"), "tables"),
    "explain": (("explain", "env.local"), "keys"),
    "password-rotate": (("password", "rotate"), "users held steps proofs warnings timing"),
    "password-status": (("password", "status"), "passwords warnings"),
    "info": (("info", "server"), "section fields sections databases"),
    "memory": (
        ("memory",),
        "used peak resident maxmemory policy evicted_keys fragmentation kinds limits doctor missing warnings",
    ),
    "stats": (
        ("stats", "--interval", "0.1"),
        STATS,
    ),
    "clients": (("clients",), "all maxclients blocked own clients"),
    "clients-kill": (("clients", "kill", "--id", "1", "--dry-run"), "dry_run clients spared ended"),
    "slowlog": (("slowlog",), "log unit threshold most length shapes entries notes"),
    "slowlog-reset": (("slowlog", "reset", "--dry-run"), "log entries dry_run"),
    "latency": (
        ("latency", "--samples", "1"),
        "round_trip through commands events threshold missing notes next",
    ),
    "latency-intrinsic": (
        ("latency", "--intrinsic", "0.1"),
        "seconds where stalls least longest lost",
    ),
    "commandstats": (("commandstats",), "commands all calls microseconds uptime"),
}
WITHOUT_HEAD = {"env-check", "latency-intrinsic", "compare", "explain"}


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_has_its_fields(neighbour: Person, report: str) -> None:
    """A report is one JSON object whose `schema` names it, with exactly the documented fields."""
    words, fields = REPORTS[report]
    (neighbour.project / "app.env").write_text("REDIS_HOST=redis\n")
    said = neighbour.say(*(word.replace("FILE", "app.env") for word in words), "--json")
    found = json.loads(said.out)
    assert said.code == 0, said
    assert found["schema"] == f"keywright/{report}/1"
    expected = set(fields.split()) | ({"schema"} if report in WITHOUT_HEAD else HEAD)
    assert expected == set(found)


@pytest.mark.parametrize("report", REPORTS)
def test_the_page_names_every_field(report: str) -> None:
    """Whoever reads the page finds every field in it."""
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert set(REPORTS[report][1].split()) - named == set()


def test_the_parts_have_their_fields(neighbour: Person) -> None:
    """Steps, proofs, servers and findings are what the page says, down to their words."""
    up = json.loads(neighbour.say("up", "--json").out)
    verdicts = {proof["verdict"] for proof in up["proofs"]}
    expected = {"id", "title", "vantage", "disturbs", "verdict", "evidence"}
    assert all(expected == set(proof) for proof in up["proofs"])
    assert verdicts == {"passed"}
    assert set(up["server"]) == {"name", "version", "pid", "config_file", "executable", "uptime"}
    assert set(up["restart_proof"]) == {"when", "verdict", "evidence", "stale"}
    neighbour.declare('maxmemory = "300mb"')
    steps = json.loads(neighbour.say("diff", "--json").out)["steps"]
    neighbour.declare()
    assert all(set(step) == {"id", "title", "danger", "commands"} for step in steps)
    assert {step["danger"] for step in steps} == {"safe"}
    row = json.loads(neighbour.say("password", "status", "--json").out)["passwords"][0]
    assert set(row) == {"user", "enabled", "source", "since", "age", "phase", "held", "old"}
    assert set(row) - set(re.findall(r"`([a-z_]+)`", PAGE)) == set()
