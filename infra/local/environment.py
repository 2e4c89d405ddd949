"""The environment of child processes: nothing of the user's own AWS or Python gets in."""

import os

REGION = "eu-west-1"
ACCOUNT = "123456789012"
# The key that MiniStack takes for the account's root.
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - any value works, and none opens anything

KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
LOOPBACK = "127.0.0.1,localhost"


def bare_environment(**own: str) -> dict[str, str]:
    """What a server gets: a few plain variables, and `own`.

    MiniStack hands its environment on to the Lambdas, and is steered by variables with common
    names, so no other variable may pass.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, **own}


def tool_environment(**own: str) -> dict[str, str]:
    """What a command gets that may fetch packages: all but the user's AWS and Python variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON", "SAM_"))
    }
    return {**kept, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, "SAM_CLI_TELEMETRY": "0", **own}


def aws_environment(endpoint: str) -> dict[str, str]:
    """Everything that an AWS client reads, so that it looks nowhere else."""
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
