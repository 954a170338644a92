"""The firewall and the kernel of a Linux host: nobody is locked out, and nothing is left open."""

import json
import time
from collections.abc import Callable

import pytest
from tests.embedded.stranger import await_true
from tests.lab.docker_engine import Engine
from tests.lab.images import INSIGHT_IMAGE
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

SSH_PORT = 2222
PLAIN = ('purpose = "cache"', "insight.enabled = false")
HERE = 'admin_from = ["172.17.0.1/32"]'


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost]) -> LinuxHost:
    """A Debian whose sshd listens on another port."""
    return hosts("keywright-lab-firewall", installed=True, ssh_port=SSH_PORT)


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> LinuxPerson:
    """Somebody who comes over ssh, from 172.17.0.1."""
    return LinuxPerson(tmp_path_factory.mktemp("firewall") / "person", host)


# --- switching it on ----------------------------------------------------------------------------


def test_without_a_way_in_it_stays_off(host: LinuxHost, person: LinuxPerson) -> None:
    """Nobody is named and no rule lets SSH in: the rules are made, ufw stays off, and the proof says why."""
    said = person.bring_up(*PLAIN)
    assert "no rule would let SSH in" in said
    assert "Status: inactive" in host.sh("ufw status")
    assert "deny 6379/tcp" in host.sh("ufw show added")


def test_a_list_that_leaves_us_out_is_refused(host: LinuxHost, person: LinuxPerson) -> None:
    """The networks named do not hold the address that we come from: nothing is done."""
    before = host.sh("ufw show added")
    said = person.bring_up(*PLAIN, 'admin_from = ["203.0.113.0/24"]', code=4)
    assert "would lock you out: you come from 172.17.0.1" in said
    assert host.sh("ufw show added; ufw status") == before + "Status: inactive\n"


def test_what_it_would_close_is_asked_about(host: LinuxHost, person: LinuxPerson) -> None:
    """A web server that answers from outside is named, and without a yes nothing is switched on."""
    host.sh("systemctl start nginx")
    said = person.bring_up(*PLAIN, HERE, code=4, words=())
    assert "from outside it closes 80 (nginx)" in said
    assert "Status: inactive" in host.sh("ufw status")
    host.sh("ufw allow 80/tcp comment web")


def test_it_is_switched_on_with_the_real_port_of_sshd(host: LinuxHost, person: LinuxPerson) -> None:
    """The rule for SSH names the port where sshd listens; a new login comes through, the timer is gone, and
    the stranger's rule is still there."""
    person.bring_up(*PLAIN, HERE, words=())
    added = host.sh("ufw show added")
    assert f"from 172.17.0.1 to any port {SSH_PORT} proto tcp" in added
    assert "ufw allow 80/tcp comment 'web'" in added
    assert "Status: active" in host.sh("ufw status")
    assert "keywright-ufw-rollback" not in host.sh("systemctl list-timers --all --no-pager")
    assert person.say("status", "-e", "linux").code == 0


def test_who_is_let_in_alone_is_not_taken_away(host: LinuxHost, person: LinuxPerson) -> None:
    """With ufw on, a file that does not name our network any more is refused: the rule is our way in. A
    change that leaves it does not touch it either, so that a line lost in the middle locks nobody out."""
    before = host.sh("ufw show added")
    for lines in (PLAIN, (*PLAIN, 'admin_from = ["203.0.113.0/24"]')):
        assert "would lock you out: you come from 172.17.0.1" in person.bring_up(*lines, code=4)
    assert host.sh("ufw show added") == before
    said = person.bring_up(*PLAIN, HERE, 'allow_from = ["10.1.2.0/24"]')
    assert "firewall: allow 10.1.2.0/24 at port 6379" in said
    assert f"port {SSH_PORT}" not in said
    person.bring_up(*PLAIN, HERE)


def test_a_lockout_rolls_back_by_itself(host: LinuxHost, person: LinuxPerson) -> None:
    """Something that no rule of ufw's shows shuts us out as soon as it is on, the open line too: `up` fails
    within its limit and says that the host opens by itself; a minute later the timer has done it."""
    host.sh("ufw disable")
    # before the rule for connections that are open already: or we could still take it back ourselves
    drop = f"-A ufw-before-input -p tcp --dport {SSH_PORT} -j DROP"
    host.sh(f"sed -i '/allow all on loopback/i {drop}' /etc/ufw/before.rules")
    begun = time.monotonic()
    person.declare_linux(*PLAIN, HERE)
    said = person.say("up", "-e", "linux", "--yes")
    assert said.code in (1, 3), said.text
    assert "by itself" in said.err, said.text
    await_true(lambda: "inactive" in host.sh("ufw status"), "ufw is off again", 120)
    assert time.monotonic() - begun < 150
    assert person.say("status", "-e", "linux").code == 0
    host.sh(f"sed -i '/--dport {SSH_PORT} -j DROP/d' /etc/ufw/before.rules")
    person.bring_up(*PLAIN, HERE)


# --- nothing is left open -----------------------------------------------------------------------


def test_a_rule_that_opens_the_port_to_all_is_taken_away(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """`ufw allow 6379` by somebody fails the check; `up` asks, and takes it away."""
    host.sh("ufw prepend allow 6379")
    checked = person.say("check", "-e", "linux", "--json")
    proofs = {each["id"]: each for each in json.loads(checked.out)["proofs"]}
    assert (checked.code, proofs["firewall"]["verdict"]) == (1, "failed")
    assert "'allow 6379' opens it to all" in proofs["firewall"]["evidence"]
    assert person.say("up", "-e", "linux").code == 4
    person.bring_up(*PLAIN, HERE)
    assert "allow 6379\n" not in host.sh("ufw show added")


def test_the_guide_s_insight_on_every_address_is_found_and_closed(
    host: LinuxHost, person: LinuxPerson, images: Engine
) -> None:
    """The guide's Option B publishes RedisInsight past ufw: `up` refuses and says so, `--adopt` makes it
    anew on loopback and keeps its volume; another container on that port is named."""
    host.load_image(INSIGHT_IMAGE)
    insight = ('purpose = "cache"', f'insight.image = "{INSIGHT_IMAGE}"', HERE)
    publish = (
        f"docker run -d --name NAME -p 0.0.0.0:6380:5540 -v redisinsight-data:/data {INSIGHT_IMAGE}"
    )
    host.sh(publish.replace("NAME", "redisinsight"))
    knock = ("curl", "-s", "-m", "2", "-o", "/dev/null", f"http://{host.address}:6380/api/health/")
    assert host.engine.run_inside(knock, check=False).returncode == 0  # past ufw, which is on
    refused = person.bring_up(*insight, code=4)
    assert "published to everybody, past the firewall" in refused
    person.bring_up(*insight, words=("--yes", "--adopt"))
    assert host.engine.run_inside(knock, check=False).returncode != 0
    assert "127.0.0.1:6380->5540" in host.sh("docker ps --format '{{.Ports}}'")
    host.sh("docker rm -f redisinsight")
    host.sh(publish.replace("NAME", "stranger"))
    assert "taken by the container stranger" in person.bring_up(*insight, code=4)
    host.sh("docker rm -f stranger")
    person.bring_up(*PLAIN, HERE)


# --- the kernel ---------------------------------------------------------------------------------


def test_the_kernel_is_set_and_stays_set(host: LinuxHost, person: LinuxPerson) -> None:
    """Against a fixture root: files of the host's own stand where the kernel's are. They are set by
    sysctl.d and by the unit for huge pages, proven, and set again when somebody changes them."""
    files = {
        "/proc/sys/vm/overcommit_memory": "0",
        "/proc/sys/net/core/somaxconn": "128",
        "/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
    }
    try:
        for number, (path, value) in enumerate(files.items()):
            host.write(f"/run/kernel-{number}", f"{value}\n")
            host.sh(f"mount --bind /run/kernel-{number} {path}")
        person.declare_linux(*PLAIN, HERE)
        checked = person.say("check", "-e", "linux", "--json")
        proofs = {each["id"]: each for each in json.loads(checked.out)["proofs"]}
        assert (checked.code, proofs["kernel"]["verdict"]) == (1, "failed")
        assert "vm.overcommit_memory is 0, declared 1" in proofs["kernel"]["evidence"]
        person.bring_up(*PLAIN, HERE)
        seen = [host.read(path).strip() for path in files]
        assert seen == ["1", "4096", "madvise"]
        assert host.sh("systemctl is-enabled keywright-thp").strip() == "enabled"
        said = person.say("up", "-e", "linux", "--json")
        report = json.loads(said.out)
        proofs = {each["id"]: each for each in report["proofs"]}
        assert (report["steps"], proofs["kernel"]["verdict"]) == ([], "passed")
    finally:
        for path in files:
            host.run("umount", path, check=False)
