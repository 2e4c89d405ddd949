"""The rules that the template does not follow, each with its reason.

A rule without failures must not be listed, so that the list does not outlive its reasons.
"""

from infra.guard.check import RuleException

EXCEPTIONS = (
    RuleException(
        rule="cloudwatch_log_group_encrypted_check",
        resources=r"\w+Log",
        reason="CloudWatch Logs encrypts every log group with its own key. Relay logs no token, no"
        " secret and no text of an entity.",
    ),
    RuleException(
        rule="cloudwatch_log_group_retention_period_check",
        resources=r"\w+Log",
        reason="LogRetentionDays says how long. The rule wants a year; 30 days are enough to find a"
        " failure, and data protection asks for no more than is needed.",
    ),
    RuleException(
        rule="kms_create_grant_aws_service_check",
        resources="SecretsKey",
        reason="The key's policy leaves the decision to the account's IAM policies, as KMS's"
        " default policy does. No function may create a grant.",
    ),
    RuleException(
        rule="lambda_function_public_access_prohibited_check",
        resources=r"\w+Permission",
        reason="Each permission names this API or this schedule in SourceArn. SAM writes the API's"
        " ARN as Fn::Sub with a mapping, which the rule does not read.",
    ),
    RuleException(
        rule="lambda_inside_vpc_check",
        resources=r"\w+Function",
        reason="The functions call Jira and webhooks on the internet, and AWS's own APIs. In a VPC,"
        " each call would need a NAT gateway, and nothing in it would be reached.",
    ),
    RuleException(
        rule="sqs_dlq_check",
        resources=r"\w+DeadLetters",
        reason="These are the dead-letter queues. The rule wants a RedriveAllowPolicy, which names"
        " the source queues: CloudFormation can't create two queues that name each other.",
    ),
)
