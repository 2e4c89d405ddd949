"""Tenants are found by their identifiers, never merged, and their secrets are theirs only."""

import json
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from relay.tenants.tenant import Tenant
from tests.support.aws import Aws
from tests.support.lifecycle import ACME, GLOBEX, Jira, Site, jira_with_its_key_server

TABLE = "TenantsTable"
IMPORTED = Site("a-new-client-key", ACME.base_url, "ATCO-the-imported-sites-own-secret-of-its-own")


@pytest.fixture
def jira(function: Callable[..., ModuleType]) -> Iterator[Jira]:
    with jira_with_its_key_server(function) as jira:
        yield jira


def tenant(jira: Jira, site: Site) -> Tenant:
    found: Tenant | None = jira.function.tenants.find_by_client_key(site.client_key)
    assert found
    return found


def item_of(aws: Aws, tenant: Tenant) -> dict[str, Any]:
    key = {"pk": {"S": f"tenant#{tenant.id}"}, "sk": {"S": "tenant"}}
    item: dict[str, Any] = dict(aws.dynamodb.get_item(TableName=TABLE, Key=key)["Item"])
    return item


def put(aws: Aws, item: dict[str, Any]) -> None:
    aws.dynamodb.put_item(TableName=TABLE, Item=item)


# --- Identity ---


def test_a_new_client_key_at_a_known_base_url_is_another_tenant(jira: Jira) -> None:
    """A site import creates one, and nothing uninstalls the old one; both stay separate."""
    assert jira.installed(ACME).status == 204
    assert jira.installed(IMPORTED).status == 204
    old, new = tenant(jira, ACME), tenant(jira, IMPORTED)
    assert old.id != new.id
    assert old.base_url == new.base_url
    found = jira.function.tenants.find_by_base_url(ACME.base_url)
    assert {one.id for one in found} == {old.id, new.id}
    assert {one.id for one in jira.function.tenants.all()} == {old.id, new.id}
    assert jira.enabled(ACME).status == 204
    assert jira.enabled(IMPORTED).status == 204
    assert jira.enabled(ACME.with_secret(IMPORTED.secret)).status == 401


def test_uninstalling_one_of_two_at_the_same_base_url_leaves_the_other(jira: Jira) -> None:
    now = int(time.time())
    for site in (ACME, IMPORTED):
        assert jira.installed(site, iat=now - 10).status == 204
    assert jira.uninstalled(ACME, iat=now).status == 204
    assert jira.enabled(IMPORTED).status == 204
    assert jira.enabled(ACME).status == 401


def test_a_tenant_id_is_random_and_opaque(jira: Jira) -> None:
    assert jira.installed(ACME).status == 204
    assert tenant(jira, ACME).id not in (ACME.client_key, ACME.base_url)
    assert jira.function.tenants.get(ACME.client_key) is None


def test_a_renamed_site_is_found_by_its_new_and_old_base_url(jira: Jira) -> None:
    now = int(time.time())
    renamed = Site(ACME.client_key, "https://acme-corp.atlassian.net", ACME.secret)
    assert jira.installed(ACME, iat=now - 10).status == 204
    assert jira.installed(renamed, iat=now).status == 204
    for base_url in (ACME.base_url, renamed.base_url):
        (found,) = jira.function.tenants.find_by_base_url(base_url)
        assert found.id == tenant(jira, ACME).id
        assert found.base_url == renamed.base_url


def test_client_keys_are_case_sensitive(jira: Jira) -> None:
    upper = Site(ACME.client_key.upper(), ACME.base_url, GLOBEX.secret)
    for site in (ACME, upper):
        assert jira.installed(site).status == 204
    assert tenant(jira, ACME).id != tenant(jira, upper).id


def test_a_client_key_that_looks_like_another_items_key_is_only_a_client_key(
    jira: Jira,
) -> None:
    assert jira.installed(ACME).status == 204
    for client_key in (f"tenant#{tenant(jira, ACME).id}", "tenants", "#", ACME.base_url, "nobody"):
        site = Site(client_key, "https://x.atlassian.net", GLOBEX.secret)
        assert jira.enabled(site).status == 401
        assert jira.installed(site).status == 204
        assert jira.enabled(site).status == 204
    assert jira.enabled(ACME).status == 204
    assert len(jira.function.tenants.all()) == 6


def test_many_tenants_are_all_listed(jira: Jira) -> None:
    sites = [Site(f"client-{n}", f"https://site-{n}.atlassian.net", ACME.secret) for n in range(12)]
    for site in sites:
        assert jira.installed(site).status == 204
    listed = {found.client_key for found in jira.function.tenants.all()}
    assert listed == {site.client_key for site in sites}


# --- Secrets ---


def test_no_item_of_any_table_contains_a_secret(jira: Jira, aws: Aws) -> None:
    for site in (ACME, GLOBEX):
        assert jira.installed(site).status == 204
    text = "".join(
        repr(item)
        for table in aws.dynamodb.list_tables()["TableNames"]
        for item in aws.dynamodb.scan(TableName=table)["Items"]
    )
    assert ACME.client_key in text, "else nothing is proven"
    for site in (ACME, GLOBEX):
        assert site.secret not in text
        assert site.secret.encode().hex() not in text


def test_the_same_secret_is_never_encrypted_to_the_same_bytes(jira: Jira, aws: Aws) -> None:
    twin = Site("a-twin", GLOBEX.base_url, ACME.secret)
    for site in (ACME, twin):
        assert jira.installed(site).status == 204
    first, second = (item_of(aws, tenant(jira, site)) for site in (ACME, twin))
    assert first["secret"] != second["secret"]
    assert first["secretKey"] != second["secretKey"]


def test_a_secret_copied_to_another_tenant_opens_nothing_there(jira: Jira, aws: Aws) -> None:
    """Not even by a caller who can write to the table."""
    for site in (ACME, GLOBEX):
        assert jira.installed(site).status == 204
    stolen = item_of(aws, tenant(jira, ACME))
    copied = {name: stolen[name] for name in ("secret", "secretKey")}
    put(aws, item_of(aws, tenant(jira, GLOBEX)) | copied)
    for instance in (jira, jira.at_another_lambda()):
        answer = instance.enabled(GLOBEX.with_secret(ACME.secret))
        assert (answer.status, answer.error_code) == (503, "unavailable")
    assert jira.enabled(ACME).status == 204


def test_kms_decrypts_a_data_key_for_its_own_tenant_only(jira: Jira, aws: Aws) -> None:
    assert jira.installed(ACME).status == 204
    acme = tenant(jira, ACME)
    data_key = item_of(aws, acme)["secretKey"]["B"]
    key = aws.environment["SECRETS_KEY"]
    own = {"tenantId": acme.id}
    assert aws.kms.decrypt(CiphertextBlob=data_key, KeyId=key, EncryptionContext=own)
    for other in ({"tenantId": "another"}, {}, own | {"more": "x"}):
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            aws.kms.decrypt(CiphertextBlob=data_key, KeyId=key, EncryptionContext=other)


def test_a_secret_is_bound_to_its_tenant_even_if_its_data_key_is_known(
    jira: Jira, aws: Aws
) -> None:
    """One tenant's data key, encrypted again for another, does not carry its secret over."""
    for site in (ACME, GLOBEX):
        assert jira.installed(site).status == 204
    acme, globex = tenant(jira, ACME), tenant(jira, GLOBEX)
    stolen, key = item_of(aws, acme), aws.environment["SECRETS_KEY"]
    plain = aws.kms.decrypt(
        CiphertextBlob=stolen["secretKey"]["B"],
        KeyId=key,
        EncryptionContext={"tenantId": acme.id},
    )["Plaintext"]
    rebound = aws.kms.encrypt(
        KeyId=key, Plaintext=plain, EncryptionContext={"tenantId": globex.id}
    )["CiphertextBlob"]
    copied = {"secret": stolen["secret"], "secretKey": {"B": rebound}}
    put(aws, item_of(aws, globex) | copied)
    assert jira.enabled(GLOBEX.with_secret(ACME.secret)).status == 503


def test_a_leftover_secret_of_an_uninstalled_tenant_opens_nothing(jira: Jira, aws: Aws) -> None:
    """As after a restore from a backup."""
    now = int(time.time())
    assert jira.installed(ACME, iat=now - 10).status == 204
    had = item_of(aws, tenant(jira, ACME))
    assert jira.uninstalled(ACME, iat=now).status == 204
    secret = {name: had[name] for name in ("secret", "secretKey")}
    put(aws, item_of(aws, tenant(jira, ACME)) | secret)
    assert jira.enabled(ACME).status == 401


@pytest.mark.parametrize("field", ["secret", "secretKey"])
def test_a_secret_that_was_tampered_with_is_not_used(jira: Jira, aws: Aws, field: str) -> None:
    assert jira.installed(ACME).status == 204
    item = item_of(aws, tenant(jira, ACME))
    content = bytearray(item[field]["B"])
    content[-1] ^= 1
    put(aws, item | {field: {"B": bytes(content)}})
    answer = jira.at_another_lambda().enabled(ACME)
    assert (answer.status, answer.error_code) == (503, "unavailable")
    assert json.loads(answer.body)["error"]["details"] == []
