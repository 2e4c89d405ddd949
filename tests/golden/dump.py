"""Dumps of the tables and queues as a released version wrote them, and how they are loaded.

A dump is a folder with the version's name:

| file | holds |
|---|---|
| `tenants`, `catalog`, `record`, `api-keys` `.jsonl` | an item a line, in DynamoDB's JSON |
| `messages.jsonl` | a message a line: its queue, the document in its body, its attributes |
| `facts.json` | what the callers know, such as API keys and secrets, and what the API answered |
| `template.json` | how the template defines the stores (see `tests.golden.template`) |

Two things in it would mean nothing elsewhere, and are replaced:

- KMS's ciphertext of a data key. The dump has the data key itself and its encryption context, and
  loading encrypts it with the emulated KMS. What Relay encrypted with that key is unchanged.
- The simulator's and Relay's addresses. The dump has names for them, and loading fills in others.

Loading also moves `expires` into the future, as DynamoDB would have deleted the item otherwise.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from tests.golden.messages import QUEUES, body_of, content_of
from tests.support.aws import REGION, Aws

FOLDER = Path(__file__).parent
TABLES = {
    "tenants": "TENANTS_TABLE",
    "catalog": "CATALOG_TABLE",
    "record": "RECORD_TABLE",
    "api-keys": "API_KEYS_TABLE",
}
# Addresses by the names that stand for them.
Places = Mapping[str, str]
# KMS's data keys, each with its encryption context, by KMS's ciphertext.
DataKeys = dict[bytes, dict[str, Any]]
_DAY = 86_400


def versions() -> list[str]:
    """The versions that have a dump, the newest last."""
    found = [path.parent.name for path in FOLDER.glob("*/facts.json")]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def facts_of(version: str, places: Places) -> dict[str, Any]:
    text = (FOLDER / version / "facts.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(_filled_in(text, places))
    return facts


def items_of(version: str, table: str) -> list[dict[str, Any]]:
    """The items of one of TABLES, in the dump's JSON."""
    return _lines(version, table, {})


def messages_of(version: str) -> list[dict[str, Any]]:
    return _lines(version, "messages", {})


@contextmanager
def data_keys() -> Iterator[DataKeys]:
    """The data keys that KMS makes meanwhile."""
    made: DataKeys = {}
    reach_aws = BaseClient._make_api_call  # type: ignore[attr-defined]

    def make_api_call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        answer = reach_aws(self, operation, parameters)
        if operation == "GenerateDataKey":
            context = dict(parameters["EncryptionContext"])
            made[answer["CiphertextBlob"]] = {
                "dataKey": _text(answer["Plaintext"]),
                "context": context,
            }
        return answer

    with patch.object(BaseClient, "_make_api_call", make_api_call):
        yield made


def write(aws: Aws, folder: Path, keys: DataKeys, facts: dict[str, Any], places: Places) -> None:
    """Dump all tables and queues of the emulated AWS."""
    folder.mkdir(exist_ok=True)
    for table, variable in TABLES.items():
        pages = aws.dynamodb.get_paginator("scan").paginate(TableName=aws.environment[variable])
        items: list[Any] = [item for page in pages for item in page["Items"]]
        items.sort(key=lambda item: [item[name]["S"] for name in ("pk", "sk") if name in item])
        _write_lines(folder / f"{table}.jsonl", [_dumped(item, keys) for item in items], places)
    messages = [one for queue in QUEUES for one in _messages(aws, queue)]
    _write_lines(folder / "messages.jsonl", messages, places)
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (folder / "facts.json").write_text(f"{_named(text, places)}\n", "utf-8")


def _messages(aws: Aws, queue: str) -> Iterator[dict[str, Any]]:
    """The messages in one of QUEUES, delayed ones included."""
    name = aws.environment[queue].rpartition("/")[2]
    queues = get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues
    for message in queues[name]._messages:
        attributes = {
            name: value["StringValue"] for name, value in message.message_attributes.items()
        }
        content = content_of(queue, message.body)
        yield {"queue": queue, "content": content, "attributes": attributes}


def load(aws: Aws, version: str, places: Places) -> dict[str, Any]:
    """Fill the emulated AWS's empty tables and queues from a dump; returns its facts."""
    for table, variable in TABLES.items():
        for item in _lines(version, table, places):
            values: Any = {name: _loaded(aws, name, value) for name, value in item.items()}
            aws.dynamodb.put_item(TableName=aws.environment[variable], Item=values)
    for message in _lines(version, "messages", places):
        attributes: Any = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in message["attributes"].items()
        }
        aws.sqs.send_message(
            QueueUrl=aws.environment[message["queue"]],
            MessageBody=body_of(message["queue"], message["content"]),
            MessageGroupId="golden",
            MessageAttributes=attributes,
        )
    return facts_of(version, places)


def _dumped(item: dict[str, Any], keys: DataKeys) -> dict[str, Any]:
    values = {}
    for name, value in item.items():
        content = value.get("B")
        if content is None:
            values[name] = value
        else:
            values[name] = {"KMS": keys[content]} if content in keys else {"B": _text(content)}
    return values


def _loaded(aws: Aws, name: str, value: dict[str, Any]) -> dict[str, Any]:
    if name == "expires":
        return {"N": str(int(time.time()) + _DAY)}
    match value:
        case {"B": text}:
            return {"B": base64.b64decode(text)}
        case {"KMS": {"dataKey": text, "context": context}}:
            answer = aws.kms.encrypt(
                KeyId=aws.environment["SECRETS_KEY"],
                Plaintext=base64.b64decode(text),
                EncryptionContext=context,
            )
            return {"B": answer["CiphertextBlob"]}
    return value


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _lines(version: str, name: str, places: Places) -> list[dict[str, Any]]:
    text = (FOLDER / version / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in _filled_in(text, places).splitlines()]


def _write_lines(path: Path, documents: list[dict[str, Any]], places: Places) -> None:
    lines = "".join(json.dumps(one, sort_keys=True) + "\n" for one in documents)
    path.write_text(_named(lines, places), "utf-8")


def _named(text: str, places: Places) -> str:
    # The longest first: one address may begin another.
    for name, address in sorted(places.items(), key=lambda one: -len(one[1])):
        text = text.replace(address, name)
    return text


def _filled_in(text: str, places: Places) -> str:
    for name, address in places.items():
        text = text.replace(name, address)
    return text
