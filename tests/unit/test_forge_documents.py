"""A migration's id becomes part of a DynamoDB key, whose other parts have ten bytes."""

import pytest
from pydantic import ValidationError

from relay.edge.forge_documents import MigrationRequest


def test_a_migrations_id_is_a_number_or_a_name() -> None:
    assert MigrationRequest.model_validate({"migrationId": 1024}).migrationId == "1024"
    longest = "x" * 255
    assert MigrationRequest.model_validate({"migrationId": longest}).migrationId == longest


@pytest.mark.parametrize(
    "migration_id", ["", "x" * 256, "\U0001f525" * 255, "a b", "a\n", None, 1.5]
)
def test_any_other_migration_id_is_refused(migration_id: object) -> None:
    with pytest.raises(ValidationError):
        MigrationRequest.model_validate({"migrationId": migration_id})
