"""The keys of the items in the tables, built and parsed; only an API key's item has its id as `pk`.
The module that reads and writes an item describes its attributes.

| table | pk | sk | holds |
|---|---|---|---|
| tenants | `tenant#<tenantId>` | `tenant` | the tenant |
| | `tenant#<tenantId>` | `trouble` | the site's trouble |
| | `tenant#<tenantId>` | `credential` | the identity that Jira accepted last |
| | `tenant#<tenantId>` | `plainIds` | the only workspace of a site with plain ids |
| | `tenant#<tenantId>` | `workspace#<workspaceId>` | a link |
| | `tenant#<tenantId>` | `offer#<workspaceId>` | an offer of a link |
| | `tenant#<tenantId>` | `replay#<workspaceId>` | the link's replay |
| | `tenant#<tenantId>` | `migration#<migrationId>` | a data residency migration |
| | `tenants` | `<tenantId>` | the list of all tenants |
| | `clientKey#<clientKey>` | `tenant` | the id of the tenant |
| | `installationId#<id>` | `tenant` | the id of the tenant |
| | `forgeCloudId#<cloudId>` | `tenant` | the id of the tenant |
| | `forgotten#<hash>` | `tenant` | the fewest `installs` of a forgotten site that returns |
| | `baseUrl#<url>` | `<tenantId>` | one of the tenants that are or were at this URL |
| | `workspace#<workspaceId>` | `tenant#<tenantId>` | the same link, found by its workspace |
| | `workspace#<workspaceId>` | `key` | the workspace's key |
| | `workspaceKey#<key>` | `workspace` | the workspace of this key |
| catalog | `workspaces` | `<workspaceId>` | the list of all workspaces |
| | `workspace#<workspaceId>` | `workspace`, `webhook` | the workspace, its webhook |
| | `workspace#<workspaceId>` | `source#<sourceId>` | a source |
| | `sourceAddress#<hash>` | `source` | the source at the address with this hash |
| | `sourceAlarm#<workspaceId>#<sourceId>` | the alarm | the alarm's newest episodes |
| | `sourceDelivery#<workspaceId>#<sourceId>` | `<deliveryId>` | a call of the source's webhook |
| | `refusingSources` | `<workspaceId>#<sourceId>` | a source whose last call was refused |
| | `site#<tenantId>` | `erasure` | a site's erasure; a workspace's takes the workspace's place |
| | `erasures` | `<subject>` | the list of the erasures under way (see `erasure`) |
| | `erased#<hash>` | `erasure` | when a workspace or site was erased, by a hash of its subject |
| | `container#<workspaceId>` | `<containerId>` | a container |
| | `name#<workspaceId>`, `updated#<workspaceId>` | see `relay.catalog.containers` | its index |
| record | `entity#<workspaceId>#<shard>` | `inc#<id>`, `rev#<id>` | an entity's newest state |
| | `outcome#<workspaceId>#<tenantId>#<shard>` | `inc#<id>`, `rev#<id>` | its outcome at a site |
| | `debt#<workspaceId>#<tenantId>#<shard>` | `inc#<id>`, `rev#<id>` | an entity's debt |
| | `debt#<workspaceId>#<tenantId>` | `cmp#<id>` | a component's debt |
| | `association#<tenantId>#<entity>` | the target | an association made in Jira |
| | `attempt#<messageId>` | `attempt` | attempts at a message |
| | `receipt#<workspaceId>` | `<submissionId>#<offset>` | the receipt of a submission's message |
| | `retention` | `pass` | how far the retention's pass over the record has come |

DynamoDB writes at most 1,000 units a second to one partition, and a state takes two to four. So a
workspace's entities are spread over shards by a hash of their ids.
"""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from relay.entities.model import EntityKey, Kind

Key = tuple[str, str]

# Part of the layout: another number would hide what is stored.
SHARDS = 16

TENANT = "tenant"
TENANTS = "tenants"
WORKSPACES = "workspaces"
REFUSING_SOURCES = "refusingSources"
ERASURES = "erasures"
RETENTION: Key = ("retention", "pass")

# The prefixes of the pks of all items of a kind.
OUTCOMES = "outcome#"
DEBTS = "debt#"
ASSOCIATIONS = "association#"

_TENANT = "tenant#"
_WORKSPACE = "workspace#"
_OFFER = "offer#"
_SOURCE = "source#"
_REPLAY = "replay#"
_ATTEMPT = "attempt#"
_SITE = "site:"
_COMPONENT = "cmp#"
# Short enough for an id of 255 characters of four bytes in the 1,024 bytes of a sort key.
_KINDS = {Kind.INCIDENT: "inc#", Kind.REVIEW: "rev#"}
_KINDS_BY_PREFIX = {prefix: kind for kind, prefix in _KINDS.items()}

# --- Tenants ---


def tenant(tenant_id: str) -> str:
    """The pk of all items of a tenant."""
    return _TENANT + tenant_id


def tenant_id_of(key: str) -> str:
    """The tenant's id, from the pk of its items or the sk of a workspace's link."""
    return key.removeprefix(_TENANT)


def tenant_item(tenant_id: str) -> Key:
    """The key of the tenant itself."""
    return tenant(tenant_id), TENANT


def trouble(tenant_id: str) -> Key:
    """The key of the site's trouble."""
    return tenant(tenant_id), "trouble"


def identity_choice(tenant_id: str) -> Key:
    """The key of the identity that Jira accepted last."""
    return tenant(tenant_id), "credential"


def plain_ids(tenant_id: str) -> Key:
    """The key of the item that names the only workspace of a site with plain ids."""
    return tenant(tenant_id), "plainIds"


def client_key(value: str) -> str:
    """The pk of the item that holds the id of this clientKey's tenant."""
    return f"clientKey#{value}"


def installation_id(value: str) -> str:
    """The pk of the item that holds the id of this installationId's tenant."""
    return f"installationId#{value}"


def forge_cloud_id(value: str) -> str:
    """The pk of the item that holds the id of the tenant with this cloudId under Forge."""
    return f"forgeCloudId#{value}"


def base_url(value: str) -> str:
    """The pk of the tenants that are or were at this URL."""
    return f"baseUrl#{value}"


def forgotten(pointer: str) -> Key:
    """The key of the note that a site with this pointer's pk was forgotten; a hash, as nothing
    else of it is kept."""
    return f"forgotten#{_hash(pointer)}", TENANT


def migration(tenant_id: str, migration_id: str) -> Key:
    """The key of a data residency migration."""
    return tenant(tenant_id), f"migration#{migration_id}"


# --- Workspaces, links and replays ---


def workspace(workspace_id: str) -> str:
    """The pk of all items of a workspace, in the tenants' table and in the catalog's."""
    return _WORKSPACE + workspace_id


def workspace_id_of(key: str) -> str:
    """The workspace's id, from a pk or from the sk of a link, an offer or a replay."""
    return key.partition("#")[2]


def workspace_key(value: str) -> Key:
    """The key of the item that names the workspace of this workspace key."""
    return f"workspaceKey#{value}", "workspace"


def key_of_workspace(workspace_id: str) -> Key:
    """The key of the item that holds the workspace's key."""
    return workspace(workspace_id), "key"


def link(tenant_id: str, workspace_id: str) -> Key:
    """The key of a link among its tenant's items."""
    return tenant(tenant_id), workspace(workspace_id)


def link_of_workspace(tenant_id: str, workspace_id: str) -> Key:
    """The key of the same link among its workspace's items."""
    return workspace(workspace_id), tenant(tenant_id)


def links_of_tenant(tenant_id: str) -> Key:
    """The pk of a tenant's links, and the prefix of their sk."""
    return tenant(tenant_id), _WORKSPACE


def links_of_workspace(workspace_id: str) -> Key:
    """The pk of a workspace's links, and the prefix of their sk."""
    return workspace(workspace_id), _TENANT


def offer(tenant_id: str, workspace_id: str) -> Key:
    """The key of an offer of a link."""
    return tenant(tenant_id), _OFFER + workspace_id


def offers(tenant_id: str) -> Key:
    """The pk of a tenant's offers, and the prefix of their sk."""
    return tenant(tenant_id), _OFFER


def replay(tenant_id: str, workspace_id: str) -> Key:
    """The key of a link's replay."""
    return tenant(tenant_id), _REPLAY + workspace_id


def replays(tenant_id: str) -> Key:
    """The pk of a tenant's replays, and the prefix of their sk."""
    return tenant(tenant_id), _REPLAY


# --- The catalog ---


def workspace_item(workspace_id: str) -> Key:
    """The key of the workspace itself, in the catalog."""
    return workspace(workspace_id), "workspace"


def webhook(workspace_id: str) -> Key:
    """The key of the workspace's webhook."""
    return workspace(workspace_id), "webhook"


def source(workspace_id: str, source_id: str) -> Key:
    """The key of a source."""
    return workspace(workspace_id), _SOURCE + source_id


def sources(workspace_id: str) -> Key:
    """The pk of a workspace's sources, and the prefix of their sk."""
    return workspace(workspace_id), _SOURCE


def source_id_of(sk: str) -> str:
    """The source's id, from its sk."""
    return sk.removeprefix(_SOURCE)


def source_address(address_hash: str) -> Key:
    """The key of the item that names the source at an address."""
    return f"sourceAddress#{address_hash}", "source"


def source_alarm(workspace_id: str, source_id: str, alarm: str) -> Key:
    """The key of an alarm's newest episodes; a hash, as its name may be longer than a key."""
    return f"sourceAlarm#{workspace_id}#{source_id}", _hash(alarm)


def source_deliveries(workspace_id: str, source_id: str) -> str:
    """The pk of the calls of a source's webhook; their sk is their id."""
    return f"sourceDelivery#{workspace_id}#{source_id}"


def refusing_source(workspace_id: str, source_id: str) -> Key:
    """The key of a source in the list of those whose last call was refused."""
    return REFUSING_SOURCES, f"{workspace_id}#{source_id}"


def refusing_sources(workspace_id: str) -> Key:
    """The pk of the list of refusing sources, and the prefix of a workspace's in it."""
    return REFUSING_SOURCES, f"{workspace_id}#"


def of_sources(workspace_id: str) -> tuple[str, str]:
    """The prefixes of the pks of all alarms and deliveries of a workspace's sources, even of
    deleted ones."""
    return f"sourceAlarm#{workspace_id}#", f"sourceDelivery#{workspace_id}#"


def site_subject(tenant_id: str) -> str:
    """The subject of a site's erasure; that of a workspace's is the workspace's id."""
    return _SITE + tenant_id


def erased_site(subject: str) -> str:
    """The tenant's id of an erasure's subject; empty for a workspace, whose id has no colon."""
    return subject.removeprefix(_SITE) if subject.startswith(_SITE) else ""


def erasure(subject: str) -> Key:
    """The key of the erasure of a workspace or a site."""
    tenant_id = erased_site(subject)
    return (f"site#{tenant_id}", "erasure") if tenant_id else workspace_item(subject)


def erased(subject: str) -> Key:
    """The key of the note that this was erased; a hash, as nothing else of it is kept."""
    return f"erased#{_hash(subject)}", "erasure"


def containers(workspace_id: str) -> str:
    """The pk of a workspace's containers; their sk is their id."""
    return f"container#{workspace_id}"


def container_names(workspace_id: str) -> str:
    """The pk of the index of containers by name (see `relay.catalog.containers`)."""
    return f"name#{workspace_id}"


def containers_by_date(workspace_id: str) -> str:
    """The pk of the index of containers by the time of their last change."""
    return f"updated#{workspace_id}"


# --- The record ---


@dataclass(frozen=True, slots=True)
class Shards:
    """The partitions that hold an item for each of a workspace's entities; `name` begins their pk.

    Their order is by kind, by shard, and by sk, so a walk can continue after any entity. `shift` is
    the first bit of the hash that counts: entities of one shard have outcomes in all, so that a
    page of a walk does not write to a single partition.
    """

    name: str
    shift: int

    def key_of(self, entity: EntityKey) -> Key:
        """The key of the entity's item."""
        return self._pk(self._shard_of(entity.id)), entity_sk(entity)

    @property
    def pks(self) -> list[str]:
        """The pk of every shard."""
        return [self._pk(shard) for shard in range(SHARDS)]

    def after(self, entity: EntityKey | None) -> Iterator[Key]:
        """The shards from this entity's on: each pk, and the sk after which to read it.

        An entity with an empty id stands before all of its kind; None stands before all.
        """
        first = self._shard_of(entity.id) if entity and entity.id else 0
        for shard in range(first, SHARDS):
            start = entity_sk(entity) if entity and shard == first else ""
            yield self._pk(shard), start

    def _pk(self, shard: int) -> str:
        return f"{self.name}#{shard:02}"

    def _shard_of(self, entity_id: str) -> int:
        return (zlib.crc32(entity_id.encode()) >> self.shift) % SHARDS


def entities(workspace_id: str) -> Shards:
    """The newest states of a workspace's entities."""
    return Shards(f"entity#{workspace_id}", 0)


def outcomes(workspace_id: str, tenant_id: str) -> Shards:
    """A link's outcomes."""
    return Shards(outcomes_of(workspace_id) + tenant_id, 8)


def outcomes_of(workspace_id: str) -> str:
    """The prefix of the pks of a workspace's outcomes at all sites."""
    return f"{OUTCOMES}{workspace_id}#"


def debts(workspace_id: str, tenant_id: str) -> Shards:
    """A link's debts of entities."""
    return Shards(component_debts(workspace_id, tenant_id), 16)


def component_debts(workspace_id: str, tenant_id: str) -> str:
    """The pk of a link's debts of components."""
    return debts_of(workspace_id) + tenant_id


def debts_of(workspace_id: str) -> str:
    """The prefix of the pks of a workspace's debts to all sites."""
    return f"{DEBTS}{workspace_id}#"


def debt(workspace_id: str, tenant_id: str, sk: str) -> Key:
    """The key of the debt with this sk."""
    if is_component(sk):
        return component_debts(workspace_id, tenant_id), sk
    return debts(workspace_id, tenant_id).key_of(entity_of(sk))


def associations(tenant_id: str, entity: EntityKey) -> str:
    """The pk of an entity's associations; its id is the one at the site."""
    return associations_at(tenant_id) + entity_sk(entity)


def associations_at(tenant_id: str) -> str:
    """The prefix of the pks of all associations at a site."""
    return f"{ASSOCIATIONS}{tenant_id}#"


def is_association(pk: str) -> bool:
    """Whether this is the pk of an entity's associations."""
    return pk.startswith(ASSOCIATIONS)


def associated(pk: str) -> tuple[str, EntityKey]:
    """The tenant's id and the entity, with its id at the site, from the pk of associations."""
    _, tenant_id, sk = pk.split("#", 2)
    return tenant_id, entity_of(sk)


def association_sk(target: str) -> str:
    """The sk of an association: a hash, as the text that names the target may be too long."""
    return _hash(target)


def kind_prefix(kind: Kind) -> str:
    """The prefix of the sk of each entity of this kind."""
    return _KINDS[kind]


def entity_sk(entity: EntityKey) -> str:
    """The sk of an entity's state, outcome or debt."""
    return _KINDS[entity.kind] + entity.id


def entity_of(sk: str) -> EntityKey:
    """The entity of this sk. Raises KeyError for the sk of a component."""
    prefix, separator, entity_id = sk.partition("#")
    return EntityKey(_KINDS_BY_PREFIX[prefix + separator], entity_id)


def component_sk(component_id: str) -> str:
    """The sk of a component's debt; for an empty id, the prefix of all."""
    return _COMPONENT + component_id


def is_component(sk: str) -> bool:
    """Whether this is the sk of a component's debt."""
    return sk.startswith(_COMPONENT)


def component_id_of(sk: str) -> str:
    """The component's id, from the sk of its debt."""
    return sk.removeprefix(_COMPONENT)


def attempt(message_id: str) -> Key:
    """The key of the count of attempts at a message."""
    return _ATTEMPT + message_id, "attempt"


def message_id_of(pk: str) -> str:
    """The message's id, from the pk of its attempts."""
    return pk.removeprefix(_ATTEMPT)


def receipts(workspace_id: str) -> str:
    """The pk of a workspace's receipts."""
    return f"receipt#{workspace_id}"


def receipt_prefix(submission_id: str) -> str:
    """The prefix of the sk of a submission's receipts, and lower than each of them."""
    return f"{submission_id}#"


def receipt_sk(submission_id: str, offset: int) -> str:
    """The sk of the receipt of a submission's message: in the order of time and offset."""
    return f"{receipt_prefix(submission_id)}{offset:07}"


def submission_of(receipt_sk: str) -> tuple[str, int]:
    """The submission's id and the message's offset, from the sk of a receipt."""
    submission_id, _, offset = receipt_sk.rpartition("#")
    return submission_id, int(offset)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
