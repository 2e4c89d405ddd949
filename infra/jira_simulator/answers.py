"""Answers of the REST APIs as HTTP responses."""

from starlette.responses import JSONResponse, Response

from .refusal import Refusal


def refused(refusal: Refusal) -> Response:
    """The error in its own shape; a 401 names the scheme, as HTTP asks for."""
    challenge = {"WWW-Authenticate": f'{refusal.scheme} realm="Jira"'}
    headers = challenge if refusal.status == 401 else None
    return JSONResponse(refusal.document(), refusal.status, headers)
