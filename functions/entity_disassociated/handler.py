"""Jira's action onEntityDisassociated: an incident or review is no longer associated."""

from relay.actions.associations import Associations
from relay.catalog.webhooks import WebhookStore
from relay.edge.answer import Answer, no_content
from relay.edge.http import HttpFunction
from relay.edge.wiring import ForgeParts
from relay.entities.association import parse_disassociated
from relay.queues.notices import NoticesQueue
from relay.record.associations import AssociationStore
from relay.record.store import RecordStore
from relay.settings import AssociationSettings

settings = AssociationSettings.from_environment()
parts = ForgeParts(settings)
associations = Associations(
    parts.links,
    RecordStore(parts.dynamodb, settings.record_table),
    AssociationStore(parts.dynamodb, settings.record_table),
    WebhookStore(parts.dynamodb, settings.catalog_table, parts.secrets),
)
notices = NoticesQueue(parts.sqs, settings.notices_queue)
site = parts.site

handler = HttpFunction(settings.base_url)


@handler.put("/entities/disassociated")
def on_entity_disassociated() -> Answer:
    """An incident or a review is no longer associated with something."""
    caller, request = handler.caller(site)
    notices.send(associations.disassociate(caller.tenant, parse_disassociated(request.body)))
    return no_content()
