"""Answers of the REST APIs as HTTP responses."""

from starlette.responses import JSONResponse, Response

from .refusal import Refusal, error_messages


def refused(refusal: Refusal) -> Response:
    """Jira's error shape; a 401 names the scheme, as HTTP asks for."""
    headers = {"WWW-Authenticate": 'JWT realm="Jira"'} if refusal.status == 401 else None
    return JSONResponse(error_messages(refusal.messages), refusal.status, headers)
