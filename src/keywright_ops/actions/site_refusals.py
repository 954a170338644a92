"""What RedisInsight's site needs of a Linux host, refused before anything is changed when it is not so."""

from keywright.errors import Refused
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.linux_refusals import called, machine_of
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Insight
from keywright_ops.model.web import Web
from keywright_ops.render.nginx import PASSWORDS, SITE

WEB_PORTS = (80, 443)


def refuse_site(opened: Opened, adopt: bool) -> None:
    """Refuse a host whose nginx cannot serve the declared site. Raises Refused."""
    plan, machine = opened.plan, machine_of(opened)
    web, insight = machine.web, plan.insight
    if plan.unit is None or isinstance(web, Missing) or not machine.root:
        return  # without root certificates are not seen
    where = called(plan.unit)
    if insight is not None and insight.site:
        _refuse_certificate(insight, web, where, plan.environment)
        _refuse_foreign(insight, web, where, adopt)
        for taken in machine.heard:
            if taken.port not in WEB_PORTS or taken.program == "nginx":
                continue
            raise Refused(
                f"port {taken.port} of {where} is taken by {taken.program or 'another program'},"
                f" and {insight.site} needs nginx there",
                f"stop it, or do without the site: `keywright tunnel -e {plan.environment}`",
            )
    elif not web.ours:
        return
    if web.complaint and SITE not in web.ours:  # ours may be what it refuses: then it is mended
        raise Refused(
            f"nginx on {where} refuses its own configuration: {web.complaint}",
            "mend that file first; `nginx -t` there tells the same",
        )


def _refuse_certificate(insight: Insight, web: Web, where: str, environment: str) -> None:
    if not web.lacking:
        return
    own = f"env.{environment}.insight.site_cert_file"
    raise Refused(
        f"the certificate of {insight.site} is not on {where}: {' and '.join(web.lacking)}",
        f"there: certbot certonly --webroot -w /var/www/html -d {insight.site};"
        f" or name yours: {own} and site_key_file",
    )


def _refuse_foreign(insight: Insight, web: Web, where: str, adopt: bool) -> None:
    if adopt or not web.foreign:
        return
    what = "logins" if PASSWORDS in web.foreign else "a site"
    raise Refused(
        f"{' and '.join(sorted(web.foreign))} on {where} is not Keywright's: it holds {what} that"
        f" somebody made by hand",
        f"move it away, or `keywright up --adopt` puts {insight.site}'s own there",
    )
