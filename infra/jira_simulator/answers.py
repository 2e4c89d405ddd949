"""Answers of the REST APIs as HTTP responses."""

from starlette.responses import JSONResponse, Response

from .refusal import Refusal


def refused(refusal: Refusal) -> Response:
    """The error in the refusal's own shape; a 401 has `WWW-Authenticate`, as HTTP requires."""
    challenge = {"WWW-Authenticate": f'{refusal.scheme} realm="Jira"'}
    headers = challenge if refusal.status == 401 else None
    return JSONResponse(refusal.document(), refusal.status, headers)
