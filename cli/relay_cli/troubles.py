"""A site's trouble in words, and what to do about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relay_cli.screen import Cell, styled
from relay_cli.words import moment, time_of_day

Site = Mapping[str, Any]

# The styles of states that pass by themselves.
_STYLES = {"active": "yellow", "slowed": "yellow"}
_AGAIN = "Relay retries automatically, and nothing is lost meanwhile."

# By the API's code of the trouble: a phrase, and what to do.
TROUBLES = {
    "rate_limited": (
        "rate limited",
        f"No action is needed: Jira limits the rate of calls. {_AGAIN}",
    ),
    "site_down": (
        "the site is down",
        f"{_AGAIN} If it lasts, see Atlassian's status page: https://status.atlassian.com",
    ),
    "unreachable": (
        "the site does not answer",
        f"{_AGAIN} If it lasts, check whether the site's URL opens in a browser.",
    ),
    "unreadable": (
        "something else answers",
        f"{_AGAIN} If it lasts, check the server at the site's URL: it does not answer as Jira "
        "does.",
    ),
    "not_jira": (
        "something else answers",
        f"Something other than Jira has answered for an hour. Check the site's URL for a login "
        f"page, a firewall or a proxy. {_AGAIN}",
    ),
    "suspended": (
        "suspended",
        "Atlassian seems to have suspended the site, for example for an unpaid bill. Its admin can "
        f"check that at https://admin.atlassian.com. {_AGAIN}",
    ),
    "credential_refused": (
        "credential refused",
        "Relay's secret is no longer valid there. The site's admin must install the app again.",
    ),
    "access_refused": (
        "access refused",
        "The app lacks its module or a scope there. The site's admin must install it again.",
    ),
    "nothing_there": (
        "nothing there",
        "The site has no such API. Is it still a Jira Software site with the app installed?",
    ),
    "moved": (
        "moved",
        "The site was renamed. Its admin must update the app, or install it again, so that Jira "
        "sends Relay the new URL.",
    ),
    "unexpected": (
        "refused",
        "Jira's answer is not documented; Relay's log has it. It may pass by itself, or need a fix "
        "in Relay.",
    ),
}
_UNKNOWN = ("", "See Jira's answer in Relay's log.")


def is_well(site: Site) -> bool:
    """Whether the site is active."""
    return str(site["state"]) == "active"


def site_state(site: Site, now: datetime | None = None) -> Cell:
    """A site's state in a few words, with its start or end and the reason, in a color."""
    style = "green" if is_well(site) else _STYLES.get(site["state"], "red")
    return styled(_in_short(site, now), style)


def site_hint(site: Site, descriptor_url: str = "") -> str:
    """What to do about a site's trouble; empty without one. Admins install from the URL."""
    if newer := site.get("supersededBy"):
        return (
            "A newer installation of this site replaced it. To move everything there: "
            f"relay sites move {site['id']} {newer}"
        )
    if site["state"] == "active":
        return ""
    if site["state"] == "uninstalled":
        place = f" from {descriptor_url}" if descriptor_url else " again"
        return f"Delivery continues when its admin installs the app{place}."
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
