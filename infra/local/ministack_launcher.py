"""Starts MiniStack with three fixes. It runs in MiniStack's own Python environment.

- API Gateway passes a body to a Lambda as base64 if it is not text. MiniStack decides by the
  content type alone and replaces what it can't decode, so a compressed body, or one that is not
  UTF-8, would reach Relay corrupted.
- MiniStack fails for a Lambda's answer whose body is null, such as a 204.
- A policy's condition may name a KMS encryption context, which MiniStack does not pass to policies.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.app import main  # type: ignore[import-not-found]
from ministack.core import iam_actions  # type: ignore[import-not-found]
from ministack.services import apigateway  # type: ignore[import-not-found]

body_is_binary: ContextVar[bool] = ContextVar("body_is_binary", default=False)
invoke_lambda = apigateway._invoke_lambda_proxy
is_text_type = apigateway._v2_request_body_is_text
tag_conditions = iam_actions.request_tag_context


def is_binary(headers: dict[str, str], body: bytes) -> bool:
    """Whether API Gateway would pass this body as base64."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return False


async def invoke_with_bodies_intact(*given: Any, **named: Any) -> Any:
    """Replaces `_invoke_lambda_proxy`: keeps binary bodies, and allows a null body."""
    headers, body = given[5], given[6]
    body_is_binary.set(is_binary(headers, body or b""))
    status, answer_headers, answer_body = await invoke_lambda(*given, **named)
    return status, answer_headers, answer_body or b""


def is_text(content_type: str | None) -> bool:
    """Replaces `_v2_request_body_is_text`: a binary body is never text."""
    return not body_is_binary.get() and bool(is_text_type(content_type))


def conditions(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
    """Replaces `request_tag_context`: adds the KMS encryption context."""
    known: dict[str, Any] = tag_conditions(service, action, body, params)
    context = json.loads(body or b"{}").get("EncryptionContext", {}) if service == "kms" else {}
    return known | {f"kms:EncryptionContext:{name}": value for name, value in context.items()}


apigateway._invoke_lambda_proxy = invoke_with_bodies_intact
apigateway._v2_request_body_is_text = is_text
iam_actions.request_tag_context = conditions

if __name__ == "__main__":
    main()
