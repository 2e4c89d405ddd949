"""What an admin can do about each trouble of a site, by the trouble's code."""

ADVICE = {
    "rate_limited": "Nothing: Jira asked Relay to call less often, and Relay waits.",
    "site_down": "Nothing, usually: Relay delivers everything once Jira answers again."
    " If it lasts, look at Atlassian's status page.",
    "unreachable": "Nothing, usually: Relay delivers everything once Jira answers again."
    " If it lasts, check whether an allowlist of IP addresses in Jira blocks Relay.",
    "unreadable": "Nothing, usually. If it lasts, check whether a proxy, a firewall or a login page"
    " answers in place of Jira.",
    "credential_refused": "Uninstall the app in Jira's app management and install it again, so that"
    " Jira and Relay agree on a new secret. Relay then delivers everything again.",
    "access_refused": "Look in Jira's app management whether the app is up to date and its new"
    " permissions are approved, and whether an allowlist of IP addresses blocks Relay.",
    "nothing_there": "Check whether this Jira has the app installed and enabled. If the site was"
    " moved or imported, ask the operator of Relay to move its links to the new one.",
    "moved": "The site has a new address. Uninstall the app and install it again, so that Relay"
    " learns the address.",
    "unexpected": "Give the operator of Relay the words of Jira below.",
    "suspended": "Jira has been unavailable for over an hour: check whether the site is suspended,"
    " such as for an unpaid bill.",
    "not_jira": "Something else has answered in place of Jira for over an hour. Check whether the"
    " site still exists at this address, and whether a proxy or a login page is in front of it.",
}
