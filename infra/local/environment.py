"""The environment of child processes, without the user's AWS and Python variables."""

import os

REGION = "eu-west-1"
ACCOUNT = "123456789012"
# The key that MiniStack treats as the account's root.
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - any value works, and it protects nothing

PASSED = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
LOOPBACK = "127.0.0.1,localhost"


def bare_environment(**own: str) -> dict[str, str]:
    """A server's environment: a few common variables, and `own`.

    No other variable is passed: MiniStack passes its environment to the Lambdas, and variables with
    common names configure it.
    """
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return {**passed, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, **own}


def tool_environment(**own: str) -> dict[str, str]:
    """A tool's environment: all variables but the user's AWS and Python ones, and `own`.

    The rest is needed to fetch packages, such as a proxy.
    """
    passed = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "SAM_"))
    }
    return {**passed, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, "SAM_CLI_TELEMETRY": "0", **own}


def aws_environment(endpoint: str) -> dict[str, str]:
    """Every variable that an AWS client reads, so that it reads no other configuration."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
