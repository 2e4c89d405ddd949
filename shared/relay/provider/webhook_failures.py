"""Reasons why a webhook did not accept a notice, written for its owner."""

import ssl
from collections.abc import Iterator

import httpx

from relay.outbound.network import NO_ADDRESS
from relay.outbound.public_only import AddressRefused

_NO_ANSWER = "It closed the connection or did not send a valid HTTP response."


def reason_of(failure: Exception, status: int | None, seconds: float) -> str:
    """The reason for a failed call.

    `status` is the HTTP status of the answer; None if there was none. `seconds` is the deadline of
    the call. The reason contains neither the URL nor anything of the answer but its status.
    """
    if status is not None:
        redirect = "; redirects are not followed" if httpx.codes.is_redirect(status) else ""
        return f"It answered {status}{redirect}."
    if isinstance(failure, AddressRefused):
        return "Its host has an address that is not public."
    if isinstance(failure, httpx.TimeoutException):
        return f"It did not answer within {seconds:g} seconds."
    return _connection_reason(failure)


def _connection_reason(failure: Exception) -> str:
    for cause in _causes(failure):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"Its certificate is not trusted: {cause.verify_message.rstrip('.')}."
        if isinstance(cause, ssl.SSLError):
            return "The TLS handshake failed: does it support https?"
        if isinstance(cause, ConnectionResetError):
            return _NO_ANSWER
        if isinstance(cause, ConnectionRefusedError):
            return "Nothing listens on its host and port: the connection was refused."
    if isinstance(failure, httpx.ConnectError):
        # httpx drops the cause of this error.
        no_address = str(failure) == NO_ADDRESS
        return "Its host has no address." if no_address else "The connection failed."
    if isinstance(failure, (httpx.NetworkError, httpx.ProtocolError)):
        return _NO_ANSWER
    return "Its URL can't be called."


def _causes(failure: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = failure
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
