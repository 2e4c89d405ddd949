"""API Gateway and SQS, in and out; the one place where errors are caught."""
