"""The HTTP client of every call that Relay makes, to Jira, to key servers and to webhooks."""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpcore
import httpx

from relay.outbound.answer import ENCODING, BoundedAnswer
from relay.outbound.deadline import Deadline
from relay.outbound.network import AddressCheck, Network

_TIMEOUTS = ("connect", "read", "write", "pool")


class OutboundClient(httpx.Client):
    """`seconds` are for a whole call: address, connection, TLS, request, and answer to its end;
    `bytes_max` is for an answer's body, inflated. Past either, httpx.RequestError is raised.

    Redirects are not followed, cookies are neither kept nor sent, and no proxy is taken from the
    environment: a call goes to the host that was checked, with what its caller gave, or nowhere.
    `check` may refuse the addresses of a host. A request's own `timeout` is for a whole call, too.
    """

    def __init__(self, seconds: float, bytes_max: int, check: AddressCheck | None = None) -> None:
        self.seconds = seconds
        super().__init__(
            transport=_Transport(Network(check), bytes_max),
            timeout=seconds,
            # Firewalls take the name of a library for a script of anybody's.
            headers={"Accept-Encoding": ENCODING, "User-Agent": "Relay"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )


class _Transport(httpx.HTTPTransport):
    def __init__(self, network: Network, bytes_max: int) -> None:
        # Certificates are those of SSL_CERT_FILE, where that is set.
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx has no parameter for the network backend. Its limits are httpx's own.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=network,
        )
        self._bytes_max = bytes_max

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        timeout = request.extensions["timeout"]["read"]
        deadline = timeout if isinstance(timeout, Deadline) else Deadline(timeout)
        request.extensions |= {"timeout": dict.fromkeys(_TIMEOUTS, deadline)}
        response = super().handle_request(request)
        # Taken away, so that httpx does not decode it again, without a limit.
        encoding = response.headers.pop("content-encoding", "")
        stream = cast(httpx.SyncByteStream, response.stream)
        response.stream = BoundedAnswer(stream, encoding, self._bytes_max)
        return response
