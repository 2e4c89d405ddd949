"""Sends one request per incident with two common libraries, independently of Relay.

Reads lines of `{"library", "url", "authorization", "bodies"}`; answers `{"wall", "cpu"}` in
seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import requests

POSTS: dict[str, Callable[..., Any]] = {
    "httpx": httpx.Client(timeout=30, trust_env=False).post,
    "requests": requests.Session().post,
}
ARGUMENT = {"httpx": "content", "requests": "data"}


def main() -> None:
    """Answers questions until the end of the input."""
    for line in sys.stdin:
        asked = json.loads(line)
        post, argument = POSTS[asked["library"]], ARGUMENT[asked["library"]]
        headers = {"Authorization": asked["authorization"], "Content-Type": "application/json"}
        bodies = [body.encode() for body in asked["bodies"]]
        wall, cpu = time.perf_counter(), time.process_time()
        for body in bodies:
            post(asked["url"], headers=headers, **{argument: body}).raise_for_status()
        spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main()
