"""Creates an API key in a deployed stack, with the user's AWS credentials.

The key is printed once. The table stores only its hash.
"""

import argparse
import re
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from relay.entities.fields import WORKSPACE_ID_MAX, WORKSPACE_ID_PATTERN
from relay.identity.api_keys import ApiKeys


def main() -> None:
    """Prints a new key, or exits with status 1 and the reason."""
    parser = argparse.ArgumentParser(prog="make api-key", description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the CloudFormation stack")
    parser.add_argument(
        "--workspace", action="append", help="a workspace that the key may access; repeatable"
    )
    parser.add_argument(
        "--all-workspaces", action="store_true", help="the key may access all workspaces"
    )
    arguments = parser.parse_args()
    if bool(arguments.workspace) == arguments.all_workspaces:
        sys.exit("Pass either WORKSPACE=id or ALL_WORKSPACES=1.")
    for workspace in arguments.workspace or ():
        if not re.fullmatch(WORKSPACE_ID_PATTERN, workspace, re.ASCII):
            characters = f"1 to {WORKSPACE_ID_MAX} characters of A-Z a-z 0-9 . _ ~ -"
            sys.exit(f"'{workspace}' is not a workspace id: it must be {characters}.")
    try:
        print(_issued_key(arguments.stack, arguments.workspace))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{error}\nCheck the AWS credentials, the region and the stack's name.")


def _issued_key(stack: str, workspaces: list[str] | None) -> str:
    """Returns the key. Raises botocore's errors."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    if "ApiKeysTable" not in outputs:
        sys.exit(f"The stack {stack} is not Relay's: it has no output ApiKeysTable.")
    return ApiKeys(boto3.client("dynamodb"), outputs["ApiKeysTable"]).issue(workspaces)


if __name__ == "__main__":
    main()
