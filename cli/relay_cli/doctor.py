"""`relay doctor`: checks of the whole installation, with advice for each problem."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import httpx
import typer

from relay_cli.api import TIMEOUT, Relay
from relay_cli.aws import Aws, Stack, access_to
from relay_cli.command import Session
from relay_cli.config import AwsAccess, Config, is_loopback
from relay_cli.descriptor import problems
from relay_cli.failure import NOT_ALL, Failure, Misuse, Refused
from relay_cli.finding import Finding, Level, fail, ok, warn
from relay_cli.queues import queue_findings
from relay_cli.screen import Screen, styled
from relay_cli.sites import links_of
from relay_cli.tables import table_findings
from relay_cli.troubles import TROUBLES, is_well, site_hint
from relay_cli.words import counted, time_of_day

INSTALL_KEYS_URL = "https://connect-install-keys.atlassian.com"
DESCRIPTOR = "/atlassian-connect.json"
# Seconds. AWS rejects a call that was signed more than five minutes ago.
SKEW_WARN, SKEW_FAIL = 30, 300

_MARKS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
_JIRA_ACTIONS: dict[int | None, str] = {
    401: TROUBLES["credential_refused"][1],
    403: TROUBLES["access_refused"][1],
    404: TROUBLES["nothing_there"][1],
}
_JIRA_ACTION = (
    "Jira may be down, or the site renamed or suspended. Submitted entities stay recorded; "
    "check again later."
)


def doctor(
    session: Session,
    stack: Annotated[
        str | None,
        typer.Option(
            help="Also check the queues and tables of this stack, with your AWS credentials.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Check the whole installation and show how to fix each problem.

    Checked are Relay's API, clock, descriptor and key; Jira's answer at each site, and its links on
    both sides; the server of Atlassian's public keys; with access to AWS, the queues, and that each
    table is the right one. Exit code: 1 if a check fails.
    """
    screen = session.screen
    with screen.waiting("Checking …"):
        findings = list(_findings(session, stack))
    counts = Counter(finding.level for finding in findings)
    healthy = not counts[Level.FAIL]
    if screen.json:
        screen.document({"ok": healthy, "findings": [finding.document() for finding in findings]})
    else:
        _show(screen, findings)
        screen.say(
            "",
            f"{counts[Level.OK]} ok, {counted(counts[Level.WARN], 'warning')}, "
            f"{counts[Level.FAIL]} failed.",
        )
        if not access_to(session.config, stack):
            screen.note(
                "The queues and tables were not checked. --stack NAME checks them, with AWS "
                "credentials."
            )
    return 0 if healthy else NOT_ALL


def _show(screen: Screen, findings: list[Finding]) -> None:
    rows = []
    for finding in findings:
        level = styled(finding.level.value, _MARKS[finding.level])
        rows.append((level, finding.check, finding.message))
        if finding.action:
            rows.append((styled("", ""), "", f"→ {finding.action}"))
    screen.table(("", "CHECK", "FINDING"), rows)


def _findings(session: Session, stack_name: str | None) -> Iterator[Finding]:
    config = session.config
    yield _configuration(config)
    with session.relay_for(config, attempts=1) as relay:
        yield from _relay_findings(relay, config)
    stack = Stack({})
    access = access_to(config, stack_name)
    if access:
        stack, found = _aws_findings(access)
        yield from found
    yield from _install_keys(config, stack)


def _configuration(config: Config) -> Finding:
    check = "configuration"
    if config.file and config.file.open_to_others:
        return warn(
            check,
            f"Other users of this machine can read the key in {config.file.path}",
            f"chmod 600 {config.file.path}",
        )
    key = f"key from {config.key_from}" if config.key else "no key"
    return ok(check, f"URL from {config.url_from}, {key}.")


def _relay_findings(relay: Relay, config: Config) -> Iterator[Finding]:
    try:
        answer = relay.call("GET", "/health")
    except Failure as failure:
        yield _failed("api", failure, "Is the URL right, and is Relay deployed there?")
        return
    yield ok("api", f"{relay.url} answers.")
    yield _clock(answer.headers.get("date", ""))
    yield from _descriptor(relay)
    if not config.key:
        yield fail(
            "key",
            config.no_key or "No API key is configured.",
            "Set RELAY_KEY, or write the key into a file.",
        )
        return
    try:
        relay.document("GET", "/v1/workspaces", query={"limit": "1"})
    except Refused as failure:
        action = "It is unknown or revoked. A key for all workspaces can make one: relay keys make"
        yield _failed("key", failure, action)
        return
    except Failure as failure:
        yield _failed("key", failure, "See the log of the workspaces function.")
        return
    yield ok("key", f"{config.key} is accepted.")
    yield from _sites(relay)


def _clock(date: str) -> Finding:
    try:
        skew = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return ok("clock", "Relay's answers have no date to compare with.")
    # An HTTP date has no fractions of a second.
    apart = f"This machine's clock and Relay's differ by {abs(skew):.0f} s."
    if abs(skew) <= SKEW_WARN:
        return ok("clock", f"This machine's clock and Relay's agree to {SKEW_WARN} s.")
    action = "Synchronize this machine's clock (NTP)."
    return warn("clock", apart, action) if abs(skew) <= SKEW_FAIL else fail("clock", apart, action)


def _descriptor(relay: Relay) -> Iterator[Finding]:
    check = "descriptor"
    try:
        descriptor = relay.document("GET", DESCRIPTOR)
    except Failure as failure:
        yield _failed(check, failure, "See the log of the descriptor function.")
        return
    found = list(problems(descriptor, relay.url))
    for problem in found:
        is_url = problem.field == "baseUrl"
        action = "Deploy with the parameter BaseUrl" if is_url else "Deploy again"
        yield fail(check, f"{problem}.", f"{action}; sites with the app keep their data.")
    if not found:
        yield ok(check, f"{descriptor['key']} is served and complete.")


def _sites(relay: Relay) -> Iterator[Finding]:
    try:
        sites = relay.every("/v1/sites", "sites")
    except Failure as failure:
        yield _failed("sites", failure, "See the log of the links function.")
        return
    if not sites:
        yield warn(
            "sites",
            "No site has the app, or none that this key's workspaces are linked to.",
            f"An admin installs it from {relay.url}{DESCRIPTOR}, or on Forge by its link; then: "
            "relay link SITE WORKSPACE",
        )
    for site in sites:
        yield from _site(relay, site)


def _site(relay: Relay, site: Mapping[str, Any]) -> Iterator[Finding]:
    check = f"site {site['baseUrl'].partition('://')[2]}"
    if not is_well(site):
        yield _not_well(check, site, f"{relay.url}{DESCRIPTOR}")
        return
    try:
        links = links_of(relay, site["id"])
    except Failure as failure:
        yield _failed(check, failure, _JIRA_ACTIONS.get(failure.jira_status, _JIRA_ACTION))
        return
    here, in_jira = set(links["workspaces"]), set(links["inJira"])
    both = f"Jira answers; {counted(len(here & in_jira), 'workspace')} linked on both sides."
    if here | in_jira:
        yield ok(check, both)
    else:
        action = f"relay link {site['id']} WORKSPACE"
        yield warn(check, "Jira answers, but no workspace is linked to it.", action)
    for workspace in sorted(here - in_jira):
        action = f"relay link {site['id']} {workspace}, or relay unlink"
        yield fail(check, f"{workspace} is linked in Relay, but not in Jira.", action)
    for workspace in sorted(in_jira - here):
        action = f"relay link {site['id']} {workspace}, or relay unlink"
        yield warn(check, f"{workspace} is linked in Jira, but not in Relay.", action)


def _not_well(check: str, site: Mapping[str, Any], descriptor_url: str) -> Finding:
    """A finding for a site in any other state. Submitted entities stay recorded in each."""
    found = fail if site["state"] == "needs attention" else warn
    state = site["state"]
    message = f"The site is {state}; submitted entities stay recorded."
    if trouble := site.get("trouble"):
        again = time_of_day(trouble["until"])
        message = f"The site is {state}: {trouble['message']}; the next attempt is at {again}."
    return found(check, message, site_hint(site, descriptor_url))


def _aws_findings(access: AwsAccess) -> tuple[Stack, list[Finding]]:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        raise Misuse(
            "Reading the queues requires the package boto3, which is not installed."
        ) from None
    try:
        aws = Aws(access)
        stack = aws.stack()
        found = list(queue_findings(aws, stack))
    except (BotoCoreError, ClientError) as error:
        action = "Are the AWS credentials, the region and the stack's name right?"
        return Stack({}), [fail("aws", str(error), action)]
    if not found:
        message = "The stack has no queues. Is it Relay's stack?"
        return stack, [fail("aws", message, "Pass Relay's stack: --stack")]
    return stack, [*found, *table_findings(aws, stack)]


def _install_keys(config: Config, stack: Stack) -> Iterator[Finding]:
    """Asks for a key that does not exist: any answer below 500 proves that the server is up."""
    check = "install keys"
    url = stack.parameters.get("InstallKeysUrl") or (config.file and config.file.install_keys_url)
    if not url and config.url and is_loopback(config.url):
        return
    url = url or INSTALL_KEYS_URL
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=not is_loopback(url)) as http:
            status = http.get(f"{url.rstrip('/')}/relay-doctor").status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = type(error).__name__
        yield warn(
            check,
            f"{url} can't be reached from this machine: {reason}.",
            "Relay needs it when a site installs the app. Check whether AWS can reach it.",
        )
        return
    if status < httpx.codes.INTERNAL_SERVER_ERROR:
        yield ok(check, f"{url} answers.")
    else:
        yield warn(
            check, f"{url} answers {status}.", "Installs fail while it does; check again later."
        )


def _failed(check: str, failure: Failure, action: str) -> Finding:
    return fail(check, failure.message, action)
