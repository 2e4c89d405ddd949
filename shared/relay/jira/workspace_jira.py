"""A Jira site as one workspace sees it: the only place where ids are translated.

Callers pass and receive the workspace's own ids, so they can't address another workspace's data.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pydantic_core

from relay.entities.model import Kind
from relay.entities.workspace_ids import WorkspaceIds
from relay.jira.answers import SubmitAnswer
from relay.jira.errors import AccessRefused, NothingThere

if TYPE_CHECKING:
    from relay.jira.client import JiraClient

# Jira's answers to calls about components if the app's descriptor lacks their module.
NO_COMPONENTS_MODULE = (AccessRefused, NothingThere)


class WorkspaceJira:
    """One workspace's view of a site; raises the errors of `JiraClient`.

    `site` is the client for calls that name workspaces instead of entities.
    """

    def __init__(self, site: "JiraClient", ids: WorkspaceIds) -> None:
        self.site = site
        self._ids = ids

    def submit_entities(
        self,
        kind: Kind,
        entities: Iterable[Mapping[str, Any]],
        properties: Mapping[str, str],
        product: str = "",
    ) -> SubmitAnswer:
        """Submit at most 1000 incidents or reviews, with the properties of their submission.

        `product` is the name of the operations tool, or empty.
        """
        body = submission_body(self._ids, kind, entities, properties, product)
        return self._own(self.site.submit_entities(body))

    def entity(self, kind: Kind, own_id: str) -> dict[str, Any] | None:
        """The entity in Jira's JSON, with the workspace's own ids; None if Jira does not have
        it."""
        found = self.site.entity(kind, self._ids.at_site(own_id))
        return self._ids.own_entity(found) if found else None

    def delete_entity(self, kind: Kind, own_id: str) -> None:
        """Delete an entity. Jira also accepts ids that it does not have."""
        self.site.delete_entity(kind, self._ids.at_site(own_id))

    def submit_components(self, components: Iterable[Mapping[str, Any]]) -> SubmitAnswer:
        """Submit at most COMPONENTS_MAX containers as DevOps components."""
        at_site = [{**one, "id": self._ids.at_site(one["id"])} for one in components]
        return self._own(self.site.submit_components(at_site, self._ids.properties))

    def delete_component(self, own_id: str) -> None:
        """Delete a container's DevOps component. Jira also accepts ids that it does not have."""
        self.site.delete_component(self._ids.at_site(own_id))

    def delete_all(self) -> None:
        """Delete all of the workspace's data at the site. Jira may miss submissions that it is
        still processing."""
        self.site.delete_by_properties(self._ids.properties)
        with suppress(*NO_COMPONENTS_MODULE):
            self.site.delete_components_by_properties(self._ids.properties)

    def _own(self, answer: SubmitAnswer) -> SubmitAnswer:
        """Drop ids of other workspaces: they were not sent, so their results mean nothing."""
        return SubmitAnswer(
            frozenset(self._own_ids(answer.accepted)),
            {
                own_id: messages
                for site_id, messages in answer.failed.items()
                if (own_id := self._ids.own(site_id)) is not None
            },
            answer.unknown_project_keys,
        )

    def _own_ids(self, site_ids: Iterable[str]) -> Sequence[str]:
        own_ids = map(self._ids.own, site_ids)
        return [own_id for own_id in own_ids if own_id is not None]


def submission_body(
    ids: WorkspaceIds,
    kind: Kind,
    entities: Iterable[Mapping[str, Any]],
    properties: Mapping[str, str],
    product: str = "",
) -> bytes:
    """The JSON body of a submission to Jira, with ids as the site knows them."""
    document: dict[str, Any] = {
        kind.plural: [ids.entity_at_site(entity) for entity in entities],
        "properties": {**properties, **ids.properties},
    }
    if product:
        document["providerMetadata"] = {"product": product}
    return pydantic_core.to_json(document)
