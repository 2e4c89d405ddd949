"""The keys of every item in the tables, built and parsed. What an item holds is described where it
is read and written.

| table | pk | sk | holds |
|---|---|---|---|
| tenants | `tenant#<tenantId>` | `tenant` | the tenant |
| | `tenant#<tenantId>` | `trouble` | what is wrong with the site |
| | `tenant#<tenantId>` | `credential` | the identity that Jira accepted last |
| | `tenant#<tenantId>` | `plainIds` | the one workspace of a site with plain ids |
| | `tenant#<tenantId>` | `workspace#<workspaceId>` | a link |
| | `tenant#<tenantId>` | `offer#<workspaceId>` | an offer of a link |
| | `tenant#<tenantId>` | `replay#<workspaceId>` | the link's replay |
| | `tenant#<tenantId>` | `migration#<migrationId>` | a data residency migration |
| | `tenants` | `<tenantId>` | the list of all tenants |
| | `clientKey#<clientKey>` | `tenant` | the id of the tenant |
| | `installationId#<id>` | `tenant` | the id of the tenant |
| | `forgeCloudId#<cloudId>` | `tenant` | the id of the tenant |
| | `baseUrl#<url>` | `<tenantId>` | one of the tenants that are or were at this URL |
| | `workspace#<workspaceId>` | `tenant#<tenantId>` | a link, from its other end |
| | `workspace#<workspaceId>` | `key` | the workspace's key |
| | `workspaceKey#<key>` | `workspace` | the workspace of this key |
| catalog | `workspaces` | `<workspaceId>` | the list of all workspaces |
| | `workspace#<workspaceId>` | `workspace`, `webhook` | the workspace, its webhook |
| record | `entity#<workspaceId>` | `inc#<id>`, `rev#<id>` | an entity's newest state |
| | `outcome#<workspaceId>#<tenantId>` | `inc#<id>`, `rev#<id>` | its outcome at a site |
| | `debt#<workspaceId>#<tenantId>` | `inc#<id>`, `rev#<id>`, `cmp#<id>` | a debt |
| | `association#<tenantId>#<entity>` | the target | an association made in Jira |
| | `attempt#<messageId>` | `attempt` | attempts at a message |
"""

import hashlib

from relay.entities.model import EntityKey, Kind

Key = tuple[str, str]

TENANT = "tenant"
TENANTS = "tenants"
WORKSPACES = "workspaces"

_TENANT = "tenant#"
_WORKSPACE = "workspace#"
_OFFER = "offer#"
_REPLAY = "replay#"
_ATTEMPT = "attempt#"
_COMPONENT = "cmp#"
# So short that an id of 255 characters of four bytes stays within the 1,024 bytes of a sort key.
_KINDS = {Kind.INCIDENT: "inc#", Kind.REVIEW: "rev#"}
_KINDS_BY_PREFIX = {prefix: kind for kind, prefix in _KINDS.items()}

# --- Tenants ---


def tenant(tenant_id: str) -> str:
    """The pk of everything about a tenant."""
    return _TENANT + tenant_id


def tenant_id_of(key: str) -> str:
    """The tenant's id in the pk of its items, or in the sk of a workspace's links."""
    return key.removeprefix(_TENANT)


def tenant_item(tenant_id: str) -> Key:
    return tenant(tenant_id), TENANT


def trouble(tenant_id: str) -> Key:
    return tenant(tenant_id), "trouble"


def identity_choice(tenant_id: str) -> Key:
    return tenant(tenant_id), "credential"


def plain_ids(tenant_id: str) -> Key:
    return tenant(tenant_id), "plainIds"


def client_key(value: str) -> str:
    return f"clientKey#{value}"


def installation_id(value: str) -> str:
    return f"installationId#{value}"


def forge_cloud_id(value: str) -> str:
    return f"forgeCloudId#{value}"


def base_url(value: str) -> str:
    return f"baseUrl#{value}"


def migration(tenant_id: str, migration_id: str) -> Key:
    return tenant(tenant_id), f"migration#{migration_id}"


# --- Workspaces, links and replays ---


def workspace(workspace_id: str) -> str:
    """The pk of everything about a workspace, in the tenants' table and in the catalog's."""
    return _WORKSPACE + workspace_id


def workspace_id_of(key: str) -> str:
    """The workspace's id in a pk, or in the sk of a link, an offer or a replay."""
    return key.partition("#")[2]


def workspace_key(value: str) -> Key:
    return f"workspaceKey#{value}", "workspace"


def key_of_workspace(workspace_id: str) -> Key:
    return workspace(workspace_id), "key"


def link(tenant_id: str, workspace_id: str) -> Key:
    return tenant(tenant_id), workspace(workspace_id)


def link_of_workspace(tenant_id: str, workspace_id: str) -> Key:
    """The same link, from its other end."""
    return workspace(workspace_id), tenant(tenant_id)


def links_of_tenant(tenant_id: str) -> Key:
    """The pk, and what the sk of each starts with; so do the functions below for lists."""
    return tenant(tenant_id), _WORKSPACE


def links_of_workspace(workspace_id: str) -> Key:
    return workspace(workspace_id), _TENANT


def offer(tenant_id: str, workspace_id: str) -> Key:
    return tenant(tenant_id), _OFFER + workspace_id


def offers(tenant_id: str) -> Key:
    return tenant(tenant_id), _OFFER


def replay(tenant_id: str, workspace_id: str) -> Key:
    return tenant(tenant_id), _REPLAY + workspace_id


def replays(tenant_id: str) -> Key:
    return tenant(tenant_id), _REPLAY


# --- The catalog ---


def workspace_item(workspace_id: str) -> Key:
    return workspace(workspace_id), "workspace"


def webhook(workspace_id: str) -> Key:
    return workspace(workspace_id), "webhook"


def containers(workspace_id: str) -> str:
    return f"container#{workspace_id}"


def container_names(workspace_id: str) -> str:
    return f"name#{workspace_id}"


def containers_by_date(workspace_id: str) -> str:
    return f"updated#{workspace_id}"


# --- The record ---


def entities(workspace_id: str) -> str:
    return f"entity#{workspace_id}"


def outcomes(workspace_id: str, tenant_id: str) -> str:
    return f"outcome#{workspace_id}#{tenant_id}"


def debts(workspace_id: str, tenant_id: str) -> str:
    return f"debt#{workspace_id}#{tenant_id}"


def associations(tenant_id: str, entity: EntityKey) -> str:
    return f"association#{tenant_id}#{entity_sk(entity)}"


def association_sk(target: str) -> str:
    """Of any text that names the target, however long."""
    return hashlib.sha256(target.encode()).hexdigest()


def kind_prefix(kind: Kind) -> str:
    """What the sk of each entity of this kind starts with."""
    return _KINDS[kind]


def entity_sk(entity: EntityKey) -> str:
    return _KINDS[entity.kind] + entity.id


def entity_of(sk: str) -> EntityKey:
    prefix, separator, entity_id = sk.partition("#")
    return EntityKey(_KINDS_BY_PREFIX[prefix + separator], entity_id)


def component_sk(component_id: str) -> str:
    return _COMPONENT + component_id


def is_component(sk: str) -> bool:
    return sk.startswith(_COMPONENT)


def component_id_of(sk: str) -> str:
    return sk.removeprefix(_COMPONENT)


def attempt(message_id: str) -> Key:
    return _ATTEMPT + message_id, "attempt"


def message_id_of(pk: str) -> str:
    return pk.removeprefix(_ATTEMPT)
