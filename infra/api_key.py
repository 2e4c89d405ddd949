"""Makes an API key in a deployed stack, with the AWS credentials of whoever runs it.

The key is printed once and can't be read again: the table keeps a hash of it.
"""

import argparse
import re
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from relay.entities.fields import WORKSPACE_ID_MAX, WORKSPACE_ID_PATTERN
from relay.identity.api_keys import ApiKeys


def main() -> None:
    parser = argparse.ArgumentParser(prog="make api-key", description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the CloudFormation stack")
    parser.add_argument(
        "--workspace", action="append", help="a workspace that the key is for, as often as needed"
    )
    parser.add_argument("--all-workspaces", action="store_true", help="it is for all of them")
    arguments = parser.parse_args()
    if bool(arguments.workspace) == arguments.all_workspaces:
        sys.exit("Say whom the key is for: WORKSPACE=id or ALL_WORKSPACES=1, and only one of them.")
    for workspace in arguments.workspace or ():
        if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace, re.ASCII):
            characters = f"1 to {WORKSPACE_ID_MAX} characters of A-Z a-z 0-9 . _ ~ -"
            sys.exit(f"'{workspace}' is no id for a workspace: that has {characters}.")
    try:
        print(_made(arguments.stack, arguments.workspace))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{error}\nAre the AWS credentials, the region and the stack's name right?")


def _made(stack: str, workspaces: list[str] | None) -> str:
    """Raises an AWS error."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    if "ApiKeysTable" not in outputs:
        sys.exit(f"The stack {stack} is no Relay: it has no output ApiKeysTable.")
    return ApiKeys(boto3.client("dynamodb"), outputs["ApiKeysTable"]).issue(workspaces)


if __name__ == "__main__":
    main()
