"""What is kept of a source's alarms whose events do not name their episode: see
`relay.sources.episodes`."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from relay import keys
from relay.catalog.sources import Source
from relay.sources.episodes import KeptAlarm, KeptEpisode
from relay.table import Item, Table, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SourceAlarmStore:
    """Every method raises TABLE_ERRORS."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, table)

    def of(self, source: Source, alarms: Iterable[str]) -> dict[str, KeptAlarm]:
        """What is kept of these alarms, by their names."""
        places = {keys.source_alarm(source.workspace_id, source.id, one): one for one in alarms}
        found = self._table.get_all(list(places))
        return {places[item["pk"], item["sk"]]: _alarm(item) for item in found}

    def save(
        self, source: Source, before: Mapping[str, KeptAlarm], after: Mapping[str, KeptAlarm]
    ) -> bool:
        """Save what is known `after` an event, if what is kept is still what it was `before`."""
        return all(self._save(source, name, before.get(name), after[name]) for name in after)

    def _save(self, source: Source, name: str, before: KeptAlarm | None, after: KeptAlarm) -> bool:
        pk, sk = keys.source_alarm(source.workspace_id, source.id, name)
        request: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before:
            request = {
                "ConditionExpression": "#at = :at",
                "ExpressionAttributeNames": {"#at": "at"},
                "ExpressionAttributeValues": to_item({":at": before.at}),
            }
        try:
            self._dynamodb.put_item(
                TableName=self._table.name,
                Item=to_item({"pk": pk, "sk": sk, **_values(after)}),
                **request,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _values(alarm: KeptAlarm) -> dict[str, Any]:
    episodes = [[one.start, one.last, one.replaced] for one in alarm.episodes]
    return {"at": alarm.at, "isOpen": alarm.is_open, "episodes": episodes}


def _alarm(item: Item) -> KeptAlarm:
    episodes = (
        KeptEpisode(int(start), int(last), replaced) for start, last, replaced in item["episodes"]
    )
    return KeptAlarm(int(item["at"]), item["isOpen"], tuple(episodes))
