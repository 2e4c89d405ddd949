"""AWS's documented limits of a request: the emulators let through what AWS refuses.

Sources: "Amazon SQS message quotas", "Quotas in Amazon DynamoDB", "DynamoDB item sizes and
formats", and the API references of DynamoDB and KMS.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

KIB, MIB = 1024, 1024 * 1024

MESSAGE_BYTES_MAX = MIB
ITEM_BYTES_MAX = 400 * KIB
TRANSACTION_BYTES_MAX = 4 * MIB
_KEY_BYTES_MAX = {"pk": 2 * KIB, "sk": KIB}
_EXPRESSION_BYTES_MAX = 4 * KIB
_OPERATORS_MAX = 300
_SUBSTITUTIONS_BYTES_MAX = 2 * MIB
_PLACEHOLDER_MAX = 255
_DIGITS_MAX = 38
_DEPTH_MAX = 32
_BATCH_WRITE_BYTES_MAX = 16 * MIB
_ENCRYPTION_CONTEXT_BYTES_MAX = 8 * KIB

_GROUP = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}", re.ASCII)
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_ATTRIBUTE_NAME = re.compile(
    r"(?!(?:AWS|Amazon)\.)(?!\.)(?!.*\.\.)[A-Za-z0-9_.\-]{1,256}(?<!\.)", re.ASCII | re.IGNORECASE
)
_MESSAGE_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
_OPERATOR = re.compile(r"<>|<=|>=|[=<>+,-]|\b(?:AND|OR|NOT|BETWEEN|IN)\b|\b[a-z_]+\(")

Request = Mapping[str, Any]


class LimitPassed(BaseException):
    """AWS would have refused the request. It is no Exception, because Relay would handle it as a
    failure of AWS, and a test of such failures would hide it.
    """


def check(service: str, operation: str, request: Request) -> None:
    """Raise LimitPassed, with the name of the limit, if AWS would refuse this request.

    `request` is as on the wire: bytes are base64.
    """
    checked = _CHECKS.get((service, operation))
    if checked:
        checked(request)


@contextmanager
def aws_limits() -> Iterator[None]:
    """Check every request of every client in this process before it is sent."""
    send = BaseClient._make_request  # type: ignore[attr-defined]

    def send_checked(self: BaseClient, model: Any, request: dict[str, Any], context: Any) -> Any:
        body = request.get("body")
        # AWS's query protocol has a mapping here.
        if isinstance(body, bytes | str) and body[:1] in (b"{", "{"):
            check(model.service_model.service_name, model.name, json.loads(body))
        return send(self, model, request, context)

    with patch.object(BaseClient, "_make_request", send_checked):
        yield


def _hold(limit: str, holds: object) -> None:
    if not holds:
        raise LimitPassed(limit)


# --- SQS ---


def _send_message(request: Request) -> None:
    _check_message(request)
    _hold("bytes of a message", _message_bytes(request) <= MESSAGE_BYTES_MAX)


def _send_message_batch(request: Request) -> None:
    entries = _entries(request)
    for entry in entries:
        _check_message(entry)
    size = sum(map(_message_bytes, entries))
    _hold("bytes of a batch of messages", size <= MESSAGE_BYTES_MAX)


def _entries(request: Request) -> list[Request]:
    entries: list[Request] = request["Entries"]
    _hold("entries of a batch", 1 <= len(entries) <= 10)
    ids = [entry["Id"] for entry in entries]
    _hold("id of an entry", all(map(_ENTRY_ID.fullmatch, ids)))
    _hold("ids of a batch differ", len(set(ids)) == len(ids))
    return entries


def _check_message(message: Request) -> None:
    _hold("characters of a message", _MESSAGE_TEXT.fullmatch(message["MessageBody"]))
    _hold("MessageGroupId", _GROUP.fullmatch(message.get("MessageGroupId", "none")))
    _hold("DelaySeconds", 0 <= message.get("DelaySeconds", 0) <= 900)
    attributes = message.get("MessageAttributes", {})
    _hold("attributes of a message", len(attributes) <= 10)
    for name, attribute in attributes.items():
        _hold("name of a message's attribute", _ATTRIBUTE_NAME.fullmatch(name))
        if "StringValue" in attribute:
            text = attribute["StringValue"]
            _hold("value of a message's attribute", _MESSAGE_TEXT.fullmatch(text))


def _message_bytes(message: Request) -> int:
    attributes = message.get("MessageAttributes", {})
    return _bytes(message["MessageBody"]) + sum(
        _bytes(name) + sum(map(_bytes, attribute.values()))
        for name, attribute in attributes.items()
    )


def _receive_message(request: Request) -> None:
    _hold("MaxNumberOfMessages", 1 <= request.get("MaxNumberOfMessages", 1) <= 10)
    _hold("WaitTimeSeconds", 0 <= request.get("WaitTimeSeconds", 0) <= 20)
    _check_visibility(request)


def _check_visibility(request: Request) -> None:
    _hold("VisibilityTimeout", 0 <= request.get("VisibilityTimeout", 0) <= 12 * 3600)


# --- DynamoDB ---


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item in DynamoDB's JSON, by DynamoDB's own rules."""
    return sum(_bytes(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any], depth: int = 1) -> int:
    _hold("levels of nesting", depth <= _DEPTH_MAX)
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return _bytes(content)
        case "B":
            return len(base64.b64decode(content))
        case "N":
            return _number_bytes(content)
        case "SS":
            _hold("an empty set", content)
            return sum(map(_bytes, content))
        case "NS":
            _hold("an empty set", content)
            return sum(map(_number_bytes, content))
        case "BS":
            _hold("an empty set", content)
            return sum(len(base64.b64decode(one)) for one in content)
        case "L":
            return 3 + sum(1 + _value_bytes(one, depth + 1) for one in content)
        case "M":
            return 3 + sum(
                1 + _bytes(name) + _value_bytes(one, depth + 1) for name, one in content.items()
            )
    return 1  # BOOL, NULL


def _number_bytes(number: str) -> int:
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    digits = (whole + fraction).lstrip("0")
    magnitude = len(whole.lstrip("0")) + int(exponent or 0)
    significant = digits.rstrip("0")
    _hold("digits of a number", len(significant) <= _DIGITS_MAX)
    _hold("magnitude of a number", not significant or -130 < magnitude <= 126)
    # One byte per two digits, one for the number, and one for its sign.
    return (len(significant) + 1) // 2 + 1 + number.startswith("-")


def _check_key(key: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of the item's key."""
    for name, bytes_max in _KEY_BYTES_MAX.items():
        if name in key:
            _check_key_value(name, key[name], bytes_max)
    return tuple(str(key.get(name)) for name in _KEY_BYTES_MAX)


def _check_key_value(name: str, value: Mapping[str, Any], bytes_max: int) -> None:
    _hold(f"an empty {name}", value.get("S", "-"))
    _hold(f"bytes of a {name}", _value_bytes(value) <= bytes_max)


def _check_item(item: Mapping[str, Any]) -> tuple[str, ...]:
    key = _check_key(item)
    _hold("bytes of an item", item_bytes(item) <= ITEM_BYTES_MAX)
    return key


def _check_expressions(request: Request) -> None:
    expressions = [text for name, text in request.items() if name.endswith("Expression")]
    for text in expressions:
        _hold("bytes of an expression", _bytes(text) <= _EXPRESSION_BYTES_MAX)
        _hold("operators of an expression", len(_OPERATOR.findall(text)) <= _OPERATORS_MAX)
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    used = set(_PLACEHOLDER.findall(" ".join(expressions)))
    _hold("placeholders are used, and those used are given", used == {*names, *values})
    _hold("length of a placeholder", all(len(name) <= _PLACEHOLDER_MAX for name in used))
    size = sum(map(_bytes, (*names, *names.values(), *values)))
    size += sum(map(_value_bytes, values.values()))
    _hold("bytes of substitutions", size <= _SUBSTITUTIONS_BYTES_MAX)


def _update(request: Request) -> tuple[str, ...]:
    """Check what is written, without the rest of the item: the emulator itself measures the two."""
    _check_expressions(request)
    key = _check_key(request["Key"])
    written = request.get("ExpressionAttributeValues", {}).values()
    size = item_bytes(request["Key"]) + sum(map(_value_bytes, written))
    _hold("bytes of an item", size <= ITEM_BYTES_MAX)
    return key


def _with_key(request: Request) -> tuple[str, ...]:
    _check_expressions(request)
    return _check_key(request["Key"])


def _put(request: Request) -> tuple[str, ...]:
    _check_expressions(request)
    return _check_item(request["Item"])


def _query(request: Request) -> None:
    _check_expressions(request)
    _check_key(request.get("ExclusiveStartKey", {}))
    _hold("Limit", request.get("Limit", 1) >= 1)
    # The names in the table's own queries.
    for place, name in {":pk": "pk", ":prefix": "sk"}.items():
        value = request.get("ExpressionAttributeValues", {}).get(place)
        if value:
            _check_key_value(name, value, _KEY_BYTES_MAX[name])


def _scan(request: Request) -> None:
    _check_key(request.get("ExclusiveStartKey", {}))
    _hold("Limit", request.get("Limit", 1) >= 1)


def _batch_get(request: Request) -> None:
    keys: list[tuple[str, ...]] = []
    for table, wanted in request["RequestItems"].items():
        _check_expressions({name: value for name, value in wanted.items() if name != "Keys"})
        keys += [(table, *_check_key(key)) for key in wanted["Keys"]]
    _hold("keys of a BatchGetItem", 1 <= len(keys) <= 100)
    _hold("keys of a BatchGetItem differ", len(set(keys)) == len(keys))


def _batch_write(request: Request) -> None:
    keys: list[tuple[str, ...]] = []
    size = 0
    for table, writes in request["RequestItems"].items():
        for write in writes:
            item = write.get("PutRequest", {}).get("Item")
            key = _check_item(item) if item else _check_key(write["DeleteRequest"]["Key"])
            keys.append((table, *key))
            size += item_bytes(item or {})
    _hold("writes of a BatchWriteItem", 1 <= len(keys) <= 25)
    _hold("keys of a BatchWriteItem differ", len(set(keys)) == len(keys))
    _hold("bytes of a BatchWriteItem", size <= _BATCH_WRITE_BYTES_MAX)


def _transact_write(request: Request) -> None:
    actions = [(name, one) for action in request["TransactItems"] for name, one in action.items()]
    keys = [(one["TableName"], *_ACTIONS[name](one)) for name, one in actions]
    _hold("actions of a transaction", 1 <= len(keys) <= 100)
    _hold("items of a transaction differ", len(set(keys)) == len(keys))
    size = sum(_action_bytes(one) for _, one in actions)
    _hold("bytes of a transaction", size <= TRANSACTION_BYTES_MAX)


def _action_bytes(action: Request) -> int:
    values = action.get("ExpressionAttributeValues", {}).values()
    item = action.get("Item") or action.get("Key") or {}
    return item_bytes(item) + sum(map(_value_bytes, values))


_ACTIONS: dict[str, Callable[[Request], tuple[str, ...]]] = {
    "Put": _put,
    "Update": _update,
    "Delete": _with_key,
    "ConditionCheck": _with_key,
}


# --- KMS ---


def _data_key(request: Request) -> None:
    context: Mapping[str, str] = request.get("EncryptionContext", {})
    size = sum(map(_bytes, (*context, *context.values())))
    _hold("bytes of an encryption context", size <= _ENCRYPTION_CONTEXT_BYTES_MAX)
    _hold("an empty encryption context", all((*context, *context.values())))
    for name, bytes_max in {"Plaintext": 4096, "CiphertextBlob": 6144}.items():
        given = base64.b64decode(request.get(name, ""))
        _hold(f"bytes of a {name}", len(given) <= bytes_max)


def _bytes(text: str) -> int:
    return len(text.encode())


_CHECKS: dict[tuple[str, str], Callable[[Request], object]] = {
    ("sqs", "SendMessage"): _send_message,
    ("sqs", "SendMessageBatch"): _send_message_batch,
    ("sqs", "ReceiveMessage"): _receive_message,
    ("sqs", "ChangeMessageVisibility"): _check_visibility,
    ("sqs", "DeleteMessageBatch"): _entries,
    ("sqs", "ChangeMessageVisibilityBatch"): _entries,
    ("dynamodb", "GetItem"): _with_key,
    ("dynamodb", "PutItem"): _put,
    ("dynamodb", "UpdateItem"): _update,
    ("dynamodb", "DeleteItem"): _with_key,
    ("dynamodb", "Query"): _query,
    ("dynamodb", "Scan"): _scan,
    ("dynamodb", "BatchGetItem"): _batch_get,
    ("dynamodb", "BatchWriteItem"): _batch_write,
    ("dynamodb", "TransactWriteItems"): _transact_write,
    ("kms", "GenerateDataKey"): _data_key,
    ("kms", "Encrypt"): _data_key,
    ("kms", "Decrypt"): _data_key,
}
