"""Steps that bring ufw to the plan's rules, lets before refusals, and never lock ourselves out.

ufw asks its rules in order and takes the first that matches. Rules of others are left as they are, but two
kinds: a refusal of our port that stands before what we let in is passed by, because ours go on top; a rule
that opens our port to everybody is taken away, which is asked about first.
"""

from ipaddress import ip_address, ip_network

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import Rule
from keywright_ops.model.machine import Machine, Ufw, UfwRule
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, LineComesBack, RunCommand, Step, Until
from keywright_ops.render.firewall import OURS, firewall_rules, server_port, ufw_comment, ufw_words
from keywright_ops.steps.apt import APT

ROLLBACK = "keywright-ufw-rollback"  # a timer of systemd that switches ufw off again
ROLLBACK_AFTER = 60  # seconds


def tend_firewall(plan: Plan, machine: Machine) -> list[Step]:
    """Return the steps after which ufw holds the plan's rules; [] when it does, or is not ours to keep."""
    if plan.firewall is None or not plan.firewall.kept or not machine.root:
        return []  # only root is shown the rules
    if isinstance(machine.ufw, Missing):
        install = RunCommand((*APT, "install", "--no-install-recommends", "ufw"))
        undo = RunCommand((*APT, "remove", "ufw"))
        return [Step("install-ufw", "install ufw, the firewall", install, undo=undo)]
    wanted = wanted_rules(plan, machine)
    return [*_rules(plan, machine.ufw, wanted), *_enable(plan, machine, machine.ufw)]


def wanted_rules(plan: Plan, machine: Machine) -> tuple[Rule, ...]:
    """Return ufw's rules in order; one that lets SSH in stands there for every port of the real sshd.

    On a host without sshd there is no port to let anybody in at.
    """
    found: list[Rule] = []
    for rule in firewall_rules(plan):
        if rule.firewall != "ufw":
            continue
        ports: tuple[int | str, ...] = (rule.port,)
        if rule.name.startswith("ssh-"):
            ports = machine.ssh_ports or ports
        found += [rule._replace(port=port) for port in ports if isinstance(port, int)]
    return tuple(found)


def in_order(ufw: Ufw, wanted: tuple[Rule, ...]) -> bool:
    """Whether every rule is there, what is let in above every refusal of its port.

    ufw shows the rules of IPv6 alone behind all others, wherever they stand among IPv6's: of these only the
    presence is known.
    """
    present = [rule.words for rule in ufw.rules]
    return not any(
        ufw_words(rule) not in present or _comes_too_late(rule, present) for rule in wanted
    )


def _comes_too_late(rule: Rule, present: list[str]) -> bool:
    """Whether a rule that lets somebody in stands there, behind a refusal of its port."""
    if rule.action != "allow" or ":" in rule.source or ufw_words(rule) not in present:
        return False
    return present.index(ufw_words(rule)) > _refused_at(present, rule.port)


def _may_come_too_late(rule: Rule, present: list[str]) -> bool:
    """Whether SSH over IPv6 is let in there and its port refused too: which comes first nobody can see."""
    ssh = rule.name.startswith("ssh-") and ":" in rule.source
    return ssh and ufw_words(rule) in present and _refused_at(present, rule.port) < len(present)


def opened_to_all(ufw: Ufw, port: int) -> tuple[str, ...]:
    """Return the rules that let everybody reach the port, as the words that added them.

    One for several ports (`allow 6000:7000/tcp`) counts where it stands before the port's refusal.
    """
    present = [rule.words for rule in ufw.rules]
    end = _refused_at(present, port)
    wide = [each for each in enumerate(present) if is_for_all(each[1], ("allow", "limit"), port)]
    return tuple(words for at, words in wide if at < end or _alone(words))


def is_for_all(words: str, verbs: tuple[str, ...], port: int | str) -> bool:
    """Whether the rule is one of these verbs for everybody who comes to the TCP port, from wherever."""
    told = [word for word in words.split() if word not in ("in", "log", "log-all")]
    verb, *rest = told or [""]
    ports, _, protocol = rest[0].partition("/") if len(rest) == 1 else ("", "", "")
    if verb not in verbs or protocol not in ("", "tcp"):
        return False
    spans = [each.partition(":") for each in ports.split(",")]
    return any(
        (first + last).isdigit() and int(first) <= int(port) <= int(last or first)
        for first, _, last in spans
    )


def _refused_at(present: list[str], port: int | str) -> int:
    """Where everybody is refused first; behind the end when nobody is."""
    refusals = (at for at, each in enumerate(present) if is_for_all(each, ("deny", "reject"), port))
    return min(refusals, default=len(present))


def _alone(words: str) -> bool:
    """Whether it names one port, so that nobody else's goes with it."""
    return not {",", ":"} & set(words)


def _rules(plan: Plan, ufw: Ufw, wanted: tuple[Rule, ...]) -> list[Step]:
    port = server_port(plan)
    words = {ufw_words(rule) for rule in wanted}
    stale = [
        rule for rule in ufw.rules if rule.comment.startswith(OURS) and rule.words not in words
    ]
    steps = [_delete(each, "no longer declared", Danger.CLIENTS_FOLLOW) for each in stale]
    # one that stands well is not touched: it may be the one by which we are here
    present = [rule.words for rule in ufw.rules]
    for rule in reversed([each for each in wanted if each.action == "allow"]):
        if _comes_too_late(rule, present) or (not ufw.active and _may_come_too_late(rule, present)):
            ours = UfwRule(ufw_words(rule), ufw_comment(rule))
            steps.append(_delete(ours, "to be put on top", Danger.SAFE))
        elif ufw_words(rule) in present:
            continue
        steps.append(_add(rule, "prepend"))
    denies = [each for each in wanted if each.action == "deny"]
    steps += [_add(each, "") for each in denies if ufw_words(each) not in present]
    wide = [each for each in opened_to_all(ufw, port) if _alone(each)]
    return steps + [
        _delete(UfwRule(each, ""), "it opens the port to all", Danger.CLIENTS_FOLLOW)
        for each in wide
    ]


def _add(rule: Rule, where: str) -> Step:
    words = ufw_words(rule).split()
    told = f"{words[0]} {rule.source if rule.source != 'any' else rule.interface or 'all'}"
    argv = ("ufw", *([where] if where else []), *words, "comment", ufw_comment(rule))
    undo = RunCommand(("ufw", "delete", *words))
    title = f"firewall: {told} at port {rule.port} ({rule.comment})"
    return Step(f"ufw-{rule.name}-{rule.port}", title, RunCommand(argv), undo=undo)


def _delete(rule: UfwRule, why: str, danger: Danger) -> Step:
    """Taken back, a rule of ours that lets somebody in stands above the refusals again."""
    words, ours = rule.words, rule.comment.startswith(OURS)
    where = ("prepend",) if ours and words.startswith("allow ") else ()
    comment = ("comment", rule.comment) if rule.comment else ()
    back = RunCommand(("ufw", *where, *words.split(), *comment))
    delete = RunCommand(("ufw", "delete", *words.split()))
    title = f"firewall: take away '{words}': {why}"
    return Step(f"ufw-delete-{words}", title, delete, undo=back, danger=danger)


# --- switching it on ----------------------------------------------------------------------------


def lets_ssh_in(plan: Plan, machine: Machine) -> bool:
    """Whether a rule, ours or another's, lets SSH in at every port of the real sshd."""
    if plan.firewall is None or isinstance(machine.ufw, Missing):
        return False
    return bool(plan.firewall.admin_from) or _ssh_is_open(machine, machine.ufw)


def locked_out(plan: Plan, machine: Machine) -> str:
    """Return the address that we come from when the plan's rules would shut it out; "" when not.

    Either ufw is to be switched on, or a rule of ours that lets SSH in is to be taken away.
    """
    firewall, ufw, came = plan.firewall, machine.ufw, machine.came_from
    if firewall is None or isinstance(ufw, Missing) or not came or not firewall.kept:
        return ""
    if ufw.active and (ufw.incoming == "allow" or not _takes_ssh_away(plan, machine, ufw)):
        return ""
    if not ufw.active and not firewall.admin_from:
        return ""  # it is not switched on then
    others = [rule.words for rule in ufw.rules if not rule.comment.startswith(OURS)]
    ports = tuple(f" port {port} proto tcp" for port in machine.ssh_ports)
    sources = [
        words.split()[2]
        for words in others
        if words.startswith("allow from ") and (" port " not in words or words.endswith(ports))
    ]
    inside = any(_holds(each, came) for each in (*firewall.admin_from, *sources))
    return "" if inside or _ssh_is_open(machine, ufw) else came


def _takes_ssh_away(plan: Plan, machine: Machine, ufw: Ufw) -> bool:
    """Whether a rule of ours lets SSH in now and is no longer declared."""
    words = {ufw_words(rule) for rule in wanted_rules(plan, machine)}
    ports = tuple(f" port {port} proto tcp" for port in machine.ssh_ports)
    stale = (rule.words for rule in ufw.rules if rule.comment.startswith(OURS))
    return any(each.endswith(ports) for each in stale if each not in words)


def _holds(network: str, address: str) -> bool:
    """Whether the network, as ufw names it, holds the address."""
    try:
        return ip_address(address.partition("%")[0]) in ip_network(network, strict=False)
    except ValueError:
        return False  # a word of ufw's that is no network


def _ssh_is_open(machine: Machine, ufw: Ufw) -> bool:
    present = [rule.words for rule in ufw.rules]

    def opened(port: int) -> bool:
        lets = [
            at
            for at, words in enumerate(present)
            if is_for_all(words, ("allow", "limit"), port)
            or (port == 22 and words in ("allow OpenSSH", "limit OpenSSH"))
        ]
        return min(lets, default=len(present)) < _refused_at(present, port)

    return bool(machine.ssh_ports) and all(opened(port) for port in machine.ssh_ports)


def shut_by_it(plan: Plan, machine: Machine, ufw: Ufw) -> tuple[str, ...]:
    """Return the ports, with their programs, that answer from outside now and would not with ufw on.

    What Docker publishes passes by it; the server's own port is to be closed.
    """
    words = [rule.words.split() for rule in ufw.rules]
    named = {
        each.partition("/")[0] for rule in words if rule[0] in ("allow", "limit") for each in rule
    }
    kept = {str(port) for port in (*machine.ssh_ports, server_port(plan))} | named
    found = [
        f"{each.port} ({each.program or 'unknown'})"
        for each in machine.heard
        if not (each.address.startswith("127.") or each.address == "::1")
        and str(each.port) not in kept
        and each.program != "docker-proxy"
    ]
    return tuple(dict.fromkeys(found))


def _enable(plan: Plan, machine: Machine, ufw: Ufw) -> list[Step]:
    """Switch it on, with a timer that switches it off again unless a new connection comes through."""
    # one that has ended, or was stopped already, is gone: that is what is wanted
    stop = (
        f"systemctl stop {ROLLBACK}.timer 2>/dev/null || ! systemctl -q is-active {ROLLBACK}.timer"
    )
    disarm = RunCommand(("sh", "-c", stop))
    armed = machine.units.get(f"{ROLLBACK}.timer")
    left = [Step("ufw-disarm", "the firewall stays on: end its rollback timer", disarm)]
    if ufw.active:
        return left if armed is not None and armed.active == "active" else []
    if not lets_ssh_in(plan, machine):
        return []
    timer = (f"--unit={ROLLBACK}", f"--on-active={ROLLBACK_AFTER}")
    arm = ("systemd-run", "--quiet", "--collect", *timer, "--timer-property=AccuracySec=1s")
    off = RunCommand(("ufw", "disable"))
    closed = shut_by_it(plan, machine, ufw)
    told = f"; from outside it closes {', '.join(closed)}" if closed else ""
    return [
        Step(
            "ufw-arm",
            f"arm a timer that switches the firewall off again in {ROLLBACK_AFTER} s",
            RunCommand((*arm, "ufw", "disable")),
            undo=disarm,
        ),
        Step(
            "ufw-enable",
            f"switch the firewall on, and log in anew (else it goes off by itself){told}",
            RunCommand(("ufw", "--force", "enable")),
            until=Until((LineComesBack(),), limit=30.0, pace=1.0, silence=30.0),
            undo=off,
            danger=Danger.CLIENTS_FOLLOW if closed else Danger.SAFE,
        ),
        *left,
    ]
