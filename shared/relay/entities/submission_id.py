"""The id of a submission: `<acceptedAt>-<correlation id>`, the time in epoch milliseconds.

Ids are in the order of time, and differ even if a caller repeats its correlation id. What follows
the first hyphen is the id in the logs.
"""

# API Gateway's ids may end with an equals sign.
SUBMISSION_ID_PATTERN = r"^[0-9]{13}-[A-Za-z0-9._=-]{1,128}$"


def submission_id(accepted_at: int, correlation_id: str) -> str:
    """`accepted_at` is in epoch milliseconds."""
    return f"{accepted_at:013}-{correlation_id}"


def accepted_at_of(submission_id: str) -> int:
    """When the submission was accepted, in epoch milliseconds."""
    return int(submission_id.partition("-")[0])
