"""Verifies the same calls as Relay with Atlassian's library for Python, independently of Relay.

Reads `{"secret", "requests": [{method, url, headers, body}]}` and answers `{"ready"}`. For each
further line, it verifies all requests and answers with `{"wall", "cpu"}` in seconds.
"""

import json
import sys
import time
from typing import Any

import atlassian_jwt  # type: ignore[import-untyped, unused-ignore]


class Authenticator(atlassian_jwt.Authenticator):  # type: ignore[misc, unused-ignore]
    """Atlassian's authenticator with one shared secret."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret

    def get_shared_secret(self, client_key: str) -> str:  # noqa: ARG002
        """The secret, whatever the client key."""
        return self._secret


def main() -> None:
    """Answers questions until the end of the input."""
    authenticator, requests = Authenticator(""), []
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        if "requests" in asked:
            authenticator, requests = Authenticator(asked["secret"]), asked["requests"]
            print(json.dumps({"ready": True}), flush=True)
            continue
        wall, cpu = time.perf_counter(), time.process_time()
        for one in requests:
            headers = {"Authorization": one["headers"]["authorization"]}
            authenticator.authenticate(one["method"], one["url"], headers)
        spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main()
