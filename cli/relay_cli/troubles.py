"""What is wrong with a site, in words, and what to do about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relay_cli.screen import Cell, styled
from relay_cli.words import moment, time_of_day

Site = Mapping[str, Any]

# Where not all is well.
_STYLES = {"active": "yellow", "slowed": "yellow"}
_AGAIN = "Relay tries again by itself, and nothing is lost meanwhile."

# By the API's code of the trouble: what it is, and what is to be done.
TROUBLES = {
    "rate_limited": ("rate limited", f"Nothing is to be done: Jira asks for a rest. {_AGAIN}"),
    "site_down": (
        "the site is down",
        f"{_AGAIN} If it lasts, https://status.atlassian.com says what Atlassian knows of it.",
    ),
    "unreachable": (
        "the site gives no answer",
        f"{_AGAIN} If it lasts, look whether the site's URL opens in a browser.",
    ),
    "unreadable": (
        "something else answers",
        f"{_AGAIN} If it lasts, look what stands at the site's URL: it does not answer as Jira "
        "does.",
    ),
    "not_jira": (
        "something else answers",
        f"Something other than Jira has answered for an hour: look what stands at the site's URL, "
        f"such as a login page, a firewall or a proxy. {_AGAIN}",
    ),
    "suspended": (
        "suspended",
        "Atlassian seems to have suspended the site, as it does when a bill is not paid. Its admin "
        f"sees that at https://admin.atlassian.com. {_AGAIN}",
    ),
    "credential_refused": (
        "credential refused",
        "Relay's secret is not valid there any more: have the site's admin install the app again.",
    ),
    "access_refused": (
        "access refused",
        "The app lacks its module or a scope there: have the site's admin install it again.",
    ),
    "nothing_there": (
        "nothing there",
        "The site knows no such API: is it still a Jira Software site with the app installed?",
    ),
    "moved": (
        "moved",
        "The site was renamed: its admin must update the app there, or install it again, so that "
        "Jira tells Relay the new URL.",
    ),
    "unexpected": (
        "refused",
        "Jira answered as it is not known to: Relay's log has its words. It may pass, or be for "
        "Relay's developers.",
    ),
}
_UNKNOWN = ("", "Look into Relay's log: it has what Jira answered.")


def is_well(site: Site) -> bool:
    return str(site["state"]) == "active"


def site_state(site: Site, now: datetime | None = None) -> Cell:
    """In short: the state, how long it lasts, and why."""
    style = "green" if is_well(site) else _STYLES.get(site["state"], "red")
    return styled(_in_short(site, now), style)


def site_hint(site: Site, descriptor_url: str = "") -> str:
    """What to do about it; empty where nothing is wrong. An admin installs the app from the URL."""
    if newer := site.get("supersededBy"):
        return (
            "A newer installation of this site took its place. To have everything there: "
            f"relay sites move {site['id']} {newer}"
        )
    if site["state"] == "active":
        return ""
    if site["state"] == "uninstalled":
        place = f" from {descriptor_url}" if descriptor_url else " again"
        return f"Its admin installs the app{place} to have it delivered."
    code = site.get("trouble", {}).get("code")
    return TROUBLES.get(code, _UNKNOWN)[1]


def _in_short(site: Site, now: datetime | None) -> str:
    state, trouble = str(site["state"]), site.get("trouble")
    if not trouble:
        return f"{state}, superseded" if site.get("supersededBy") else state
    if state == "slowed":
        return f"{state} until {time_of_day(trouble['until'], now)}: {_why(trouble)}"
    status = trouble.get("status")
    why = f"Jira answered {status}" if status else _why(trouble)
    return f"{state} since {moment(trouble['since'])}: {why}"


def _why(trouble: Mapping[str, Any]) -> str:
    return TROUBLES.get(trouble["code"], _UNKNOWN)[0] or str(trouble["code"])
