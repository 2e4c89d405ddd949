"""An erasure of a workspace or a site: its stages and its item."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from relay import keys
from relay.entities.workspace_ids import WorkspaceIds
from relay.table import Item

# The attribute that only an erasure's item has: its run.
ERASING = "erasing"


class ErasureStage(StrEnum):
    """The stages of a workspace's erasure, in their order; a site's has those of SITE_STAGES."""

    UNLINK = "unlink"
    WAIT = "wait"
    SITES = "sites"
    OUTCOMES = "outcomes"
    RECORD = "record"
    LINKS = "links"
    CATALOG = "catalog"
    UNREACHED = "unreached"
    DONE = "done"


WORKSPACE_STAGES = tuple(ErasureStage)
SITE_STAGES = (ErasureStage.WAIT, ErasureStage.OUTCOMES, ErasureStage.LINKS, ErasureStage.DONE)


@dataclass(frozen=True, slots=True)
class ErasedSite:
    """A site that the workspace was linked to when its erasure began, and its ids there.

    Once the workspace is deleted there, `is_cleared`. After `attempts` failed ones, the next is due
    at `due`; `reason` says why the last one failed.
    """

    tenant_id: str
    ids: WorkspaceIds
    is_cleared: bool = False
    attempts: int = 0
    due: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of a workspace or a site, under way or done; `subject` is a workspace's id, or as
    `keys.site_subject` has it.

    `run` identifies it. It may continue at `due`. `deleted` counts the items deleted from the
    tables so far. A long stage continues at `cursor`. Of one that is done, `sites` are those that
    were not reached.
    """

    subject: str
    run: str
    stage: ErasureStage
    started_at: int
    updated_at: int
    due: int
    deleted: int = 0
    sites: tuple[ErasedSite, ...] = ()
    cursor: tuple[str, ...] = ()

    @property
    def unreached(self) -> list[ErasedSite]:
        """The sites at which an attempt to delete the workspace has failed, and none succeeded."""
        return [site for site in self.sites if site.reason and not site.is_cleared]

    def following(self) -> "Erasure":
        """The erasure in its next stage."""
        stages = SITE_STAGES if keys.erased_site(self.subject) else WORKSPACE_STAGES
        return replace(self, stage=stages[stages.index(self.stage) + 1], cursor=())


def item_of(erasure: Erasure, leased: int = 0) -> Item:
    """The erasure's item, leased until `leased`."""
    pk, sk = keys.erasure(erasure.subject)
    return {
        "pk": pk,
        "sk": sk,
        ERASING: erasure.run,
        "stage": erasure.stage.value,
        "startedAt": erasure.started_at,
        "updatedAt": erasure.updated_at,
        "due": erasure.due,
        "leased": leased,
        "deleted": erasure.deleted,
        "sites": [site_values(site) for site in erasure.sites],
        "cursor": list(erasure.cursor),
    }


def erasure_of(subject: str, item: Item) -> Erasure:
    """The erasure in an item."""
    return Erasure(
        subject,
        item[ERASING],
        ErasureStage(item["stage"]),
        int(item["startedAt"]),
        int(item["updatedAt"]),
        int(item["due"]),
        int(item["deleted"]),
        sites_of(item["sites"]),
        tuple(item["cursor"]),
    )


def site_values(site: ErasedSite) -> Item:
    """A site of an erasure as a member of an item."""
    return {
        "tenantId": site.tenant_id,
        "key": site.ids.key,
        "plain": site.ids.plain,
        "isCleared": site.is_cleared,
        "attempts": site.attempts,
        "due": site.due,
        "reason": site.reason,
    }


def sites_of(found: Iterable[Item]) -> tuple[ErasedSite, ...]:
    """The sites in an item."""
    return tuple(
        ErasedSite(
            one["tenantId"],
            WorkspaceIds(one["key"], one["plain"]),
            one["isCleared"],
            int(one["attempts"]),
            int(one["due"]),
            one["reason"],
        )
        for one in found
    )
