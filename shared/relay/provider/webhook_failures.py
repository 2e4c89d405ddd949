"""Why a webhook did not take a notice, in words for whoever owns it."""

import ssl
from collections.abc import Iterator

import httpx

from relay.outbound.addresses import AddressRefused
from relay.outbound.network import NO_ADDRESS

_NO_ANSWER = "It closed the connection, or sent what is no HTTP answer."


def words_of(failure: Exception, status: int | None, seconds: float) -> str:
    """`status` is what was answered, if anything was; `seconds` are what a call may take. Nothing
    of the URL but its host is repeated, and nothing of what was answered."""
    if status is not None:
        redirect = ", and no redirect is followed" if httpx.codes.is_redirect(status) else ""
        return f"It answered {status}{redirect}."
    if isinstance(failure, AddressRefused):
        return "Its host has an address that is not public."
    if isinstance(failure, httpx.TimeoutException):
        return f"It did not answer within {seconds:g} seconds."
    return _of_connection(failure)


def _of_connection(failure: Exception) -> str:
    for cause in _causes(failure):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"Its certificate is not trusted: {cause.verify_message.rstrip('.')}."
        if isinstance(cause, ssl.SSLError):
            return "No TLS connection could be made: does it speak https?"
        if isinstance(cause, ConnectionResetError):
            return _NO_ANSWER
        if isinstance(cause, ConnectionRefusedError):
            return "Nothing listens at its host and port: the connection was refused."
    if isinstance(failure, httpx.ConnectError):
        # Its cause is cut off on the way.
        no_address = str(failure) == NO_ADDRESS
        return "Its host has no address." if no_address else "It can't be connected to."
    if isinstance(failure, (httpx.NetworkError, httpx.ProtocolError)):
        return _NO_ANSWER
    return "Its URL can't be called."


def _causes(failure: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = failure
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
