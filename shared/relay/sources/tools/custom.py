"""Any tool's JSON, by a mapping of JMESPath expressions."""

from collections.abc import Callable
from typing import Any, TypeVar

from relay.entities.document import DETAILS_SHOWN_MAX
from relay.errors import BadRequest, Detail
from relay.sources.changes import IncidentChange, Reading
from relay.sources.custom_mapping import CustomMapping
from relay.sources.expressions import Evaluator, Mistake, Unusable, compiled
from relay.sources.results import (
    id_of,
    is_true,
    micros_from,
    services_of,
    status_of,
    text_of,
    texts_of,
    unfit,
)
from relay.sources.settings import SourceSettings
from relay.sources.tool import ITEMS_MAX, Tool, wrong_shape

_HINT = (
    "The source's mapping does not fit this payload. `details` names the expressions;"
    " `relay sources try` shows what they give."
)

T = TypeVar("T")


class _Refused(Exception):
    """The item can't become an incident."""

    def __init__(self, detail: Detail) -> None:
        super().__init__(detail.message)
        self.detail = detail


class _Item:
    """One incident of the payload. `left_out` are its optional parts that could not be read."""

    def __init__(
        self, document: Any, path: str, mapping: CustomMapping, evaluator: Evaluator
    ) -> None:
        self._document = document
        self._path = path
        self._mapping = mapping
        self._evaluator = evaluator
        self.left_out: list[Detail] = []

    def required(self, field: str, read: Callable[[Any], T]) -> T:
        """Raises _Refused."""
        try:
            return read(self._value(field))
        except Unusable as error:
            raise _Refused(_detail(self._path + field, error)) from None

    def optional(self, field: str, read: Callable[[Any], T], default: T) -> T:
        try:
            value = self._value(field)
            return default if value is None or value == "" else read(value)
        except Unusable as error:
            self.left_out.append(_detail(self._path + field, error))
            return default

    def _value(self, field: str) -> Any:
        expression = getattr(self._mapping, field)
        return self._evaluator.value(expression, self._document) if expression else None


def check(settings: SourceSettings) -> None:
    """Raises BadRequest with each mistake of the mapping."""
    mistakes = []
    for field, expression in _mapping_of(settings).model_dump(exclude_none=True).items():
        try:
            compiled(expression)
        except Mistake as error:
            mistakes.append(_detail(f"settings.mapping.{field}", error))
    if mistakes:
        raise BadRequest("The mapping has expressions that are not JMESPath.", mistakes)


def read(payload: Any, settings: SourceSettings) -> Reading:
    """Each item is an incident. An item that the mapping does not fit leaves the others."""
    mapping = _mapping_of(settings)
    evaluator = Evaluator()
    changes: list[IncidentChange] = []
    refused: list[Detail] = []
    left_out: list[Detail] = []
    items = _items(payload, mapping, evaluator)
    for path, document in items:
        item = _Item(document, path, mapping, evaluator)
        try:
            if not item.required("ignore", is_true):
                changes.append(_change(item))
                left_out += item.left_out
        except _Refused as error:
            refused.append(error.detail)
    if refused and not changes:
        raise wrong_shape(_HINT, refused[:DETAILS_SHOWN_MAX])
    event = _Item(payload, "", mapping, evaluator).optional("event", text_of, "event")
    ignored = "the mapping ignores it" if items else "the payload has no items"
    return Reading(event, changes, ignored, refused + left_out)


def _items(payload: Any, mapping: CustomMapping, evaluator: Evaluator) -> list[tuple[str, Any]]:
    """Each item, with the start of the paths of its fields. Raises BadRequest."""
    if not mapping.items:
        return [("", payload)]
    try:
        found = evaluator.value(mapping.items, payload)
        if not isinstance(found, list):
            raise unfit(found, "an array")
    except Unusable as error:
        raise wrong_shape(_HINT, [_detail("items", error)]) from None
    if len(found) > ITEMS_MAX:
        rule = f"At most {ITEMS_MAX} of them in one call"
        raise wrong_shape(_HINT, [Detail("items", "too_long", rule)])
    return [(f"items[{number}].", item) for number, item in enumerate(found)]


def _change(item: _Item) -> IncidentChange:
    changed_at = item.required("lastUpdated", micros_from)
    return IncidentChange(
        id=item.required("id", id_of),
        changed_at=changed_at,
        created_at=item.optional("createdDate", micros_from, changed_at),
        status=item.required("status", status_of),
        title=item.required("summary", text_of),
        description=item.optional("description", text_of, ""),
        urls=[item.optional("url", text_of, "")],
        severity=item.optional("severity", text_of, ""),
        services=item.optional("affectedComponents", services_of, []),
        keys=item.optional("issueKeys", texts_of, []),
    )


def _mapping_of(settings: SourceSettings) -> CustomMapping:
    if settings.mapping is None:
        rule = Detail("settings.mapping", "missing", "Field required")
        raise BadRequest("A source of the kind custom needs a mapping.", [rule])
    return settings.mapping


def _detail(path: str, error: Unusable) -> Detail:
    return Detail(path, error.rule, str(error))


TOOL = Tool(
    title="Custom source",
    read=read,
    check=check,
    own_settings=("mapping",),
    setup=[
        "In the tool, add a webhook that sends JSON by POST to this address: {url}",
        "Let it send an event for each incident that opens, changes or is resolved.",
        "Save one of its payloads, and see what Jira would get: relay sources try WORKSPACE SOURCE"
        " FILE",
    ],
)
