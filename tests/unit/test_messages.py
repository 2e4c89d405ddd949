"""The queue's messages: nothing is lost on the way, and nothing invalid is accepted."""

import base64
import json
import random
import time
import tracemalloc
import zlib
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.entities.model import EntityKey, EntityState, Kind
from relay.entities.service import KnownService
from relay.queues.submissions import (
    CONTENT_BYTES_MAX,
    INFLATED_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    Message,
    packed,
    parse_message,
)
from tests.support.entities import incident, review

ACCEPTED_AT = 1_769_851_800_000

WORDS = [
    "checkout",
    "payment",
    "latency",
    "database",
    "replica",
    "failover",
    "deploy",
    "rollback",
    "queue",
    "consumer",
    "timeout",
    "certificate",
    "region",
    "traffic",
    "customer",
    "error",
    "rate",
    "dashboard",
    "alert",
    "mitigated",
    "identified",
    "investigating",
    "monitoring",
    "resolved",
    "gateway",
    "cache",
    "search",
    "login",
    "webhook",
    "upstream",
    "provider",
]


def body_of(content: Any) -> str:
    """A message's body with any content, in the format of `packed`."""
    return base64.b64encode(zlib.compress(json.dumps(content).encode())).decode()


def content(**changed: Any) -> dict[str, Any]:
    standard = {
        "format": 1,
        "workspaceId": "payments",
        "correlationId": "c-1",
        "acceptedAt": ACCEPTED_AT,
        "incidents": [incident()],
    }
    return standard | changed


def bodies(*states: EntityState, deleted: tuple[EntityKey, ...] = ()) -> list[str]:
    message = Message("payments", "c-1", states, ACCEPTED_AT, deleted)
    return [body for _, body in packed(message)]


def plausible_incident(number: int) -> dict[str, Any]:
    """About a kilobyte of text such as people write during an incident."""
    chance = random.Random(number)  # noqa: S311

    def sentence() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(6, 14))).capitalize() + "."

    updates = (
        f"**{chance.choice(WORDS).capitalize()}** 2026-01-{chance.randint(10, 28)}T"
        f"{chance.randint(10, 23)}:{chance.randint(10, 59)}:00Z\n\n{sentence()} {sentence()}\n\n"
        for _ in range(chance.randint(2, 5))
    )
    return incident(
        f"{chance.getrandbits(64):016x}",
        ACCEPTED_AT + number,
        summary=sentence()[:255],
        description="".join(updates),
        affectedComponents=chance.sample(WORDS, chance.randint(1, 4)),
        associations=[
            {"associationType": "issueIdOrKeys", "values": [f"OPS-{chance.randint(1, 9999)}"]}
        ],
    )


# --- Round trip ---

texts = st.text(max_size=30)
names = st.text(min_size=1, max_size=5)
entities = st.builds(
    lambda entity_id, sequence, summary: (entity_id, sequence, {"summary": summary}),
    st.text(min_size=1, max_size=10),
    st.integers(-(2**63), 2**63 - 1),
    texts,
)
properties = st.dictionaries(st.text(max_size=5), texts, max_size=5)


@given(
    incidents=st.lists(entities, max_size=20),
    reviews=st.lists(entities, max_size=20),
    shared=properties,
    deleted=st.lists(st.builds(EntityKey, st.sampled_from(Kind), st.text(max_size=5)), max_size=3),
    containers=st.lists(names, max_size=3),
    logo_url=texts,
    workspace_id=st.text(min_size=1, max_size=10),
    correlation_id=texts,
)
@settings(deadline=None)
def test_packed_entities_are_unpacked_in_order(
    incidents: list[Any],
    reviews: list[Any],
    shared: dict[str, str],
    deleted: list[EntityKey],
    containers: list[str],
    logo_url: str,
    workspace_id: str,
    correlation_id: str,
) -> None:
    states = (
        *(EntityState(Kind.INCIDENT, incident(i, s) | more, shared) for i, s, more in incidents),
        *(EntityState(Kind.REVIEW, review(i, s) | more, shared) for i, s, more in reviews),
    )
    message = Message(
        workspace_id,
        correlation_id,
        states,
        ACCEPTED_AT,
        tuple(deleted),
        tuple(containers),
        logo_url,
    )

    ((part, body),) = packed(message)
    parsed = parse_message(body)

    assert part == message
    assert parsed == message
    assert all(state.accepted_at == ACCEPTED_AT for state in parsed.states)
    assert all(state.correlation_id == correlation_id for state in parsed.states)


@given(
    sizes=st.lists(st.integers(0, 200_000), min_size=1, max_size=20),
    reviews_from=st.integers(0, 20),
    noise=st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_large_messages_are_split_within_the_queues_limit_and_lose_nothing(
    sizes: list[int], reviews_from: int, noise: bool
) -> None:
    chance = random.Random(1)  # noqa: S311

    def text(size: int) -> str:
        # Hexadecimal digits deflate to half; no text deflates worse than base85.
        return base64.b85encode(chance.randbytes(size)).decode() if noise else "x" * size

    states = [
        EntityState(Kind.INCIDENT, incident(f"e-{place}", description=text(size)))
        if place < reviews_from
        else EntityState(Kind.REVIEW, review(f"e-{place}", description=text(size)))
        for place, size in enumerate(sizes)
    ]
    deleted = (EntityKey(Kind.REVIEW, "gone"),)

    parts = bodies(*states, deleted=deleted)

    assert all(len(body.encode()) <= MESSAGE_BYTES_MAX for body in parts)
    parsed = [parse_message(body) for body in parts]
    assert [state for message in parsed for state in message.states] == states
    before = accumulate((len(message.states) for message in parsed), initial=0)
    assert [message.offset for message in parsed] == list(before)[:-1]
    assert {message.submission_id for message in parsed} == {f"{ACCEPTED_AT}-c-1"}
    assert [key for message in parsed for key in message.deleted] == list(deleted)


def test_a_message_without_an_offset_is_a_submissions_first() -> None:
    assert parse_message(body_of(content())).offset == 0
    with pytest.raises(ValueError, match="offset greater_than_equal"):
        parse_message(body_of(content(offset=-1)))


def test_the_product_is_packed_with_the_entities() -> None:
    states = (EntityState(Kind.INCIDENT, incident(), {"team": "a"}, product="Ops Tool"),)

    ((_, body),) = packed(Message("w", "c", states))

    assert parse_message(body).states == states


def test_a_message_without_products_is_read() -> None:
    content = {
        "format": 1,
        "workspaceId": "w",
        "correlationId": "c",
        "acceptedAt": ACCEPTED_AT,
        "incidents": [incident()],
        "reviews": [],
        "deleted": [],
        "containers": [],
    }
    body = base64.b64encode(zlib.compress(json.dumps(content).encode())).decode()

    assert [state.product for state in parse_message(body).states] == [""]


def test_the_limit_leaves_room_below_the_queues_maximum() -> None:
    assert MESSAGE_BYTES_MAX <= 1024 * 1024 - 10_000


def test_the_largest_entity_that_is_accepted_fits_a_message() -> None:
    chance = random.Random(2)  # noqa: S311
    values = [
        "".join(chr(chance.randrange(0x10000, 0x110000)) for _ in range(255)) for _ in range(343)
    ]
    large = incident(associations=[{"associationType": "issueIdOrKeys", "values": values}])
    state = EntityState(Kind.INCIDENT, large)
    assert len(state.as_json) > 340_000

    assert len(bodies(state)) == 1


def test_an_entity_too_large_for_a_message_is_an_error() -> None:
    noise = random.Random(3).randbytes(MESSAGE_BYTES_MAX)  # noqa: S311
    state = EntityState(Kind.INCIDENT, incident(description=base64.b85encode(noise).decode()))

    with pytest.raises(ValueError, match="does not fit"):
        bodies(EntityState(Kind.INCIDENT, incident()), state)


def test_services_are_split_within_the_queues_limit_and_none_is_lost() -> None:
    url = f"https://ops.example.com/{'x' * 1900}"
    services = tuple(KnownService(str(one), "Checkout", url, 1) for one in range(5000))
    states = tuple(EntityState(Kind.INCIDENT, incident(str(one))) for one in range(3))
    message = Message("payments", "c", states, services=services)

    parts = [parse_message(body) for _, body in packed(message)]

    assert [one for part in parts for one in part.services] == list(services)
    assert [one.key for part in parts for one in part.states] == [one.key for one in states]
    assert all(part.size <= INFLATED_BYTES_MAX for part in parts)


def test_a_thousand_typical_incidents_fit_in_one_or_two_messages() -> None:
    states = [EntityState(Kind.INCIDENT, plausible_incident(number)) for number in range(1000)]
    assert 900 < sum(len(state.as_json) for state in states) / 1000 < 1300

    parts = bodies(*states)

    assert len(parts) in (1, 2)
    assert [state for body in parts for state in parse_message(body).states] == states


# --- Invalid messages ---


@given(st.text(max_size=300))
@settings(deadline=None)
def test_only_a_valid_message_is_read(body: str) -> None:
    with pytest.raises(ValueError, match="not a message"):
        parse_message(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(
    changed=st.dictionaries(
        st.sampled_from(sorted(content(properties={}, reviews=[], deleted=[], components=[]))),
        json_values,
    ),
    in_entity=st.dictionaries(st.sampled_from(sorted(incident())), json_values, max_size=2),
)
@settings(deadline=None)
def test_json_that_is_no_message_raises_only_value_error(
    changed: dict[str, Any], in_entity: dict[str, Any]
) -> None:
    try:
        message = parse_message(body_of(content(incidents=[incident() | in_entity]) | changed))
    except ValueError:
        return
    # Accepted states can be distinguished and ordered.
    assert all(isinstance(state.key.id, str) for state in message.states)
    assert all(isinstance(state.sequence, int) for state in message.states)
    assert isinstance(message.keys, set)


@pytest.mark.parametrize(
    "junk",
    [
        {"format": 2},
        {"format": "1"},
        {"workspaceId": None},
        {"workspaceId": 1},
        {"acceptedAt": "today"},
        {"acceptedAt": 1e999},
        {"acceptedAt": 10**50},
        {"properties": {"team": 1}},
        {"incidents": None},
        {"incidents": [None]},
        {"incidents": [{}]},
        {"reviews": [{"id": "rev-1"}]},
        {"deleted": [["incident"]]},
        {"deleted": [["problem", "id"]]},
        {"deleted": ["incident"]},
        {"containers": [None]},
        {"containers": [{"id": 1}]},
        {"logoUrl": None},
        *(
            {"incidents": [incident() | {field: value}]}
            for field, value in [
                ("id", 1),
                ("id", ["unhashable"]),
                ("updateSequenceNumber", "1"),
                ("updateSequenceNumber", float("inf")),
                ("updateSequenceNumber", float("nan")),
                ("updateSequenceNumber", True),
                ("updateSequenceNumber", 10**50),
                ("status", None),
                ("lastUpdated", 5),
                ("severity", "P1"),
            ]
        ),
    ],
)
def test_a_message_with_a_field_of_another_type_is_refused(junk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a message"):
        parse_message(body_of(content() | junk))


@pytest.mark.parametrize("missing", sorted(content(incidents=[])))
def test_a_message_without_a_required_field_is_refused(missing: str) -> None:
    document = content()
    del document[missing]

    if missing == "incidents":
        assert parse_message(body_of(document)).states == ()
    else:
        with pytest.raises(ValueError, match=missing):
            parse_message(body_of(document))


def test_a_truncated_or_uncompressed_message_is_refused() -> None:
    (body,) = bodies(EntityState(Kind.INCIDENT, incident()))
    deflated = base64.b64decode(body)
    for broken in (deflated[:-20], deflated[2:], b"", b"\x00", json.dumps(content()).encode()):
        with pytest.raises(ValueError, match="not a message"):
            parse_message(base64.b64encode(broken).decode())
    for text in ("", "=", body[:-1], body + "\n", f" {body}", "é", "\ud83d"):
        with pytest.raises(ValueError, match="not a message"):
            parse_message(text)


SECRET = "Xq7-of-a-customer"


@pytest.mark.parametrize(
    "junk",
    [
        {"workspaceId": [SECRET]},
        {"deleted": [[SECRET, SECRET]]},
        {"incidents": [SECRET]},
        {"incidents": [{"summary": SECRET}]},
        {"format": SECRET},
    ],
    ids=str,
)
def test_the_reason_repeats_no_input(junk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a message") as raised:
        parse_message(body_of(content() | junk))
    assert SECRET not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "message",
    [
        Message("w", "c", containers=tuple(f"{n:03}" + "\x01" * 243 for n in range(600))),
        Message(
            "w" * 128,
            "c",
            tuple(
                EntityState(
                    Kind.INCIDENT,
                    incident(f"{number}", description="\x01" * 5000),
                    {f"{name}" + "\x01" * 254: "\x01" * 255 for name in range(4)},
                )
                for number in range(300)
            ),
            deleted=tuple(EntityKey(Kind.REVIEW, f"{n}" + "\x01" * 240) for n in range(100)),
        ),
    ],
    ids=["containers", "entities"],
)
def test_a_packed_message_is_read_whatever_its_inflated_size(message: Message) -> None:
    parts = list(packed(message))

    parsed = [parse_message(body) for _, body in parts]

    assert [state for part in parsed for state in part.states] == list(message.states)
    assert parsed == [part for part, _ in parts]
    assert all(0 < part.size <= INFLATED_BYTES_MAX for part in parsed)


def test_more_than_can_be_packed_is_refused_with_a_reason() -> None:
    deflated = zlib.compress(b"[" + b" " * INFLATED_BYTES_MAX + b"]")

    with pytest.raises(ValueError, match=f"not a message: .* more than {INFLATED_BYTES_MAX} bytes"):
        parse_message(base64.b64encode(deflated).decode())


def test_a_bomb_is_refused_within_bounded_memory() -> None:
    deflater = zlib.compressobj()
    mebibyte = bytes(1024 * 1024)
    bomb = b"".join(deflater.compress(mebibyte) for _ in range(128)) + deflater.flush()
    body = base64.b64encode(bomb).decode()
    assert len(body) < MESSAGE_BYTES_MAX / 5

    tracemalloc.start()
    started = time.perf_counter()
    try:
        with pytest.raises(ValueError, match="not a message"):
            parse_message(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 * CONTENT_BYTES_MAX
    assert time.perf_counter() - started < 5
