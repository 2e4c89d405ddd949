"""Makes an API key in a deployed stack, with the AWS credentials of whoever runs it.

The key is printed once and can't be read again: the table keeps a hash of it.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from relay.identity.api_keys import ApiKeys


def main() -> None:
    parser = argparse.ArgumentParser(prog="make api-key", description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the CloudFormation stack")
    for_whom = parser.add_mutually_exclusive_group(required=True)
    for_whom.add_argument(
        "--workspace", action="append", help="a workspace that the key is for, as often as needed"
    )
    for_whom.add_argument("--all-workspaces", action="store_true", help="it is for all of them")
    arguments = parser.parse_args()
    try:
        print(_made(arguments.stack, arguments.workspace))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{error} Are the AWS credentials, the region and the stack's name right?")


def _made(stack: str, workspaces: list[str] | None) -> str:
    """Raises an AWS error."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
    if "ApiKeysTable" not in outputs:
        sys.exit(f"The stack {stack} is no Relay: it has no output ApiKeysTable.")
    return ApiKeys(boto3.client("dynamodb"), outputs["ApiKeysTable"]).issue(workspaces)


if __name__ == "__main__":
    main()
