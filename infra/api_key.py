"""Makes an API key in a deployed stack, with the AWS credentials of whoever runs it.

The key is printed once and can't be read again: the table keeps a hash of it.
"""

import argparse

import boto3

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
    stacks = boto3.client("cloudformation").describe_stacks(StackName=arguments.stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    table = outputs["ApiKeysTable"]
    print(ApiKeys(boto3.client("dynamodb"), table).issue(arguments.workspace))


if __name__ == "__main__":
    main()
