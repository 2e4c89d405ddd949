"""Relay's API over HTTP: every call has a timeout, the API key, and an id for Relay's logs."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote, urljoin

import httpx

from relay_cli.config import is_loopback
from relay_cli.failure import Failure, Refused, Unavailable
from relay_cli.key import Key

# Seconds. API Gateway gives up after 30.
TIMEOUT = httpx.Timeout(35, connect=5)
ATTEMPTS = 3
# Of a command of any number of calls, which a busy minute should not end.
PATIENT_ATTEMPTS = 10
LONGEST_WAIT = 60
PAGE_MAX = 100

_BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
# Seconds between attempts to reach Relay.
_LONGEST_PAUSE = 30.0


class Relay:
    """Calls to one Relay. `report` receives a line of text about each wait.

    A call is retried if no connection was made. A call that is safe to repeat is also retried if
    the connection breaks or Relay does not answer in time, and while Relay is busy (429, 503),
    after the `Retry-After` that it answers. `attempts` limits all of it.
    """

    def __init__(
        self,
        url: str,
        key: Key | None,
        correlation_id: str,
        report: Callable[[str], None],
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self.correlation_id = correlation_id
        self._report = report
        self.attempts = attempts
        self._sleep = sleep
        headers = {"x-correlation-id": correlation_id, "Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key.value}"
        # Calls to this machine bypass the environment's proxy.
        self._http = httpx.Client(
            headers=headers,
            timeout=TIMEOUT,
            trust_env=not is_loopback(url),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def document(self, method: str, path: str, **call: Any) -> dict[str, Any]:
        """Relay's JSON answer; empty without a body. Parameters and errors are those of `call`."""
        response = self._own(self.call(method, path, **call))
        if not response.content:
            return {}
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._no_relay(response)
        return document

    def text(self, path: str) -> str:
        """A file that Relay serves to everyone. Raises as `call` does."""
        return self._own(self.call("GET", path)).text

    def pages(
        self, path: str, name: str, limit: int | None = None, **query: str
    ) -> Iterator[dict[str, Any]]:
        """The pages of a list, with at most `limit` items in all. `name` is the list's field.

        A page may be empty without being the last.
        """
        left = limit
        while left is None or left > 0:
            size = PAGE_MAX if left is None else min(PAGE_MAX, left)
            page = self.document("GET", path, query={**query, "limit": str(size)})
            yield page
            if not page.get("next"):
                return
            query["after"] = page["next"]
            left = None if left is None else left - len(page[name])

    def every(self, path: str, name: str) -> list[dict[str, Any]]:
        """The items of all pages."""
        return [one for page in self.pages(path, name) for one in page[name]]

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        document: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> httpx.Response:
        """The response of a successful call. Raises Unavailable, Refused or Failure.

        Without `repeatable`, every method but POST is repeatable.
        """
        if repeatable is None:
            repeatable = method != "POST"
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts
            try:
                response = self._http.request(
                    method,
                    self.url + path,
                    params=query,
                    json=document,
                    content=body,
                    # API Gateway may truncate a path, or decode it twice. Relay then refuses it.
                    headers={"x-relay-path": path, **(headers or {})},
                )
            except httpx.RequestError as error:
                if last or not isinstance(error, httpx.TransportError if repeatable else _NOT_SENT):
                    raise self._unreachable(error) from None
                self._sleep(min(0.1 * 2**attempt, _LONGEST_PAUSE))
                continue
            wait = _wait_of(response, attempt)
            if last or not repeatable or response.status_code not in _BUSY or wait > LONGEST_WAIT:
                break
            self._report(f"{_busy(response)}; trying again in {wait:.0f} s …")
            self._sleep(wait)
        if response.is_success:
            return response
        raise self._failure(response)

    def _own(self, response: httpx.Response) -> httpx.Response:
        # Every answer of Relay has this header.
        if "x-correlation-id" not in response.headers:
            raise self._no_relay(response)
        return response

    def _unreachable(self, error: httpx.RequestError) -> Unavailable:
        if isinstance(error, httpx.TimeoutException):
            message = f"Relay at {self.url} did not answer in time."
        else:
            message = f"Relay at {self.url} can't be reached: {_reason(error)}"
        return Unavailable(message, "unreachable", correlation_id=self.correlation_id)

    def _failure(self, response: httpx.Response) -> Failure:
        """The API's error, or a description of an answer that has none."""
        status = response.status_code
        correlation_id = response.headers.get("x-correlation-id", self.correlation_id)
        error = _error_of(response)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            kind: type[Failure] = Refused
        elif status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _BUSY:
            kind = Unavailable
        elif error is None:
            return self._no_relay(response)
        else:
            kind = Failure
        if error is None:
            message = f"Relay answered {status} without an error message."
            return kind(message, f"http_{status}", (), status, correlation_id)
        return kind(
            str(error["message"]),
            str(error["code"]),
            error.get("details") or (),
            status,
            correlation_id,
            error.get("jiraStatus"),
        )

    def _no_relay(self, response: httpx.Response) -> Unavailable:
        """Also for redirects: the key is sent only to the configured URL. The failure has no
        correlation id, because Relay's logs have no such call."""
        message = f"{self.url} answered {response.status_code}, but not as Relay does."
        location = response.headers.get("location")
        if location:
            message += f" It points to {urljoin(self.url, location)}"
        return Unavailable(
            f"{message} Is the URL right?",
            "not_relay",
            (),
            response.status_code,
        )


def segment(value: str) -> str:
    """The text, percent-encoded as one segment of a path."""
    quoted = quote(value, safe="")
    # Unencoded, they would lead to another path.
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


def workspace_path(workspace_id: str, *parts: str) -> str:
    """The path of a workspace in the API. `parts` are encoded segments."""
    return "/".join(["/v1/workspaces", segment(workspace_id), *parts])


def _busy(response: httpx.Response) -> str:
    error = _error_of(response)
    if error and error["code"] == "jira_unavailable":
        return str(error["message"])
    return f"Relay is busy ({response.status_code})"


def _wait_of(response: httpx.Response, attempt: int) -> float:
    """Seconds: Relay's `Retry-After`, or the number of the attempt."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else float(attempt)


def _error_of(response: httpx.Response) -> dict[str, Any] | None:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return None
    return error if isinstance(error, dict) and {"code", "message"} <= error.keys() else None


def _reason(error: httpx.RequestError) -> str:
    return str(error) or type(error).__name__
