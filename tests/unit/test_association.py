"""What an ARI reveals about the entity that it names."""

import json

import pytest

from relay.entities.association import Target, kind_of_ari, parse_associated, parse_disassociated
from relay.entities.model import Kind
from relay.errors import BadRequest

KINDS = {
    "ari:cloud:jira:site:incident/activation/111-222/333": Kind.INCIDENT,
    "ari:cloud:jira:site:post-incident-review/activation/111-222/333": Kind.REVIEW,
    "ari:cloud:jira::incident/activation/111-222/333": Kind.INCIDENT,
    "ari:cloud:jira:site:incident/activation/111/id/with/slashes": Kind.INCIDENT,
    "ari:cloud:jira:site:incident/activation/111/id:with\nbreaks": Kind.INCIDENT,
    # Jira's own example.
    "ari:cloud:jira:site:/activation/111-222-333/111111": None,
    "ari:cloud:jira:site:issue/activation/111/222": None,
    "ari:cloud:jira:site:incident/activation/111/": None,
    "ari:cloud:jira:site:incident/222": None,
    "ari:cloud:compass:site:incident/activation/111/222": None,
    "xari:cloud:jira:site:incident/activation/111/222": None,
    "incident": None,
    "": None,
}


@pytest.mark.parametrize(("ari", "kind"), KINDS.items())
def test_the_kind_is_read_from_either_place(ari: str, kind: Kind | None) -> None:
    assert kind_of_ari(ari) == kind


def test_unknown_fields_are_not_stored() -> None:
    target = {"ati": "t", "ari": "a", "cloudId": "c", "id": "1", "user": {"id": "someone"}}
    entity = {"ari": "", "id": "inc-1", "author": "someone"}
    expected = Target(ati="t", ari="a", cloudId="c", id="1")
    for parse, name in (
        (parse_associated, "associatedWith"),
        (parse_disassociated, "disassociatedFrom"),
    ):
        body = {"entity": entity, name: target, "user": {"id": "someone"}}
        change = parse(json.dumps(body).encode())
        assert (change.entity_id, change.kind, change.target) == ("inc-1", None, expected)
        assert "someone" not in repr(change)


@pytest.mark.parametrize("body", [b"", b"null", b'{"entity": {"id": "\xff"}}', b'"\\ud800"'])
def test_an_invalid_association_is_refused(body: bytes) -> None:
    for parse in (parse_associated, parse_disassociated):
        with pytest.raises(BadRequest):
            parse(body)
