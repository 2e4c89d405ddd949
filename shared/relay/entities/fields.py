"""The kinds of field that Jira's entities are made of, each with Jira's limit."""

import re
from datetime import date
from ipaddress import IPv6Address
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from relay.entities.workspace_ids import KEY_LENGTH, WORKSPACE_PROPERTY

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Jira takes ids of 255 characters; those of ours leave room for the workspace's key.
SITE_ID_MAX = 255
ID_MAX = SITE_ID_MAX - KEY_LENGTH
TEXT_MAX = 255
DESCRIPTION_MAX = 5000
URL_MAX = 2000
LIST_MAX = 100
ASSOCIATION_VALUES_MAX = 500
# Jira takes five; one of them is Relay's own.
PROPERTIES_MAX = 4
# More than any document has; of one with more, its fields are not named one by one.
FIELDS_MAX = 50
# RFC 3339 takes any number of digits after the second; nobody needs more than these.
DATE_TIME_MAX = 64

# RFC 3339 section 5.6; the ranges of the date itself are checked with the calendar.
_DATE_TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt](?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
    r"(?:\.\d+)?(?:[Zz]|(?P<sign>[+-])(?P<zone_hour>\d{2}):(?P<zone_minute>\d{2}))",
    re.ASCII,
)
_LAST_MINUTE = 24 * 60 - 1
# RFC 3986, appendix A, of the schemes http and https: an authority with a host, then a path, a
# query and a fragment.
_NAME = r"A-Za-z0-9\-._~!$&'()*+,;="
_ENCODED = r"%[0-9A-Fa-f]{2}"
_URL = re.compile(
    rf"[Hh][Tt][Tt][Pp][Ss]?://(?:(?:[{_NAME}:]|{_ENCODED})*@)?"
    rf"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?:[{_NAME}]|{_ENCODED})+)(?::(?P<port>[0-9]{{0,5}}))?"
    rf"(?:/(?:[{_NAME}:@/]|{_ENCODED})*)?(?:\?(?:[{_NAME}:@/?]|{_ENCODED})*)?"
    rf"(?:#(?:[{_NAME}:@/?]|{_ENCODED})*)?"
)
_PORTS = range(1, 65_536)


def _date_time(value: str) -> str:
    match = _DATE_TIME.fullmatch(value)
    try:
        if not match:
            raise ValueError
        date.fromisoformat(match["date"])
        in_range = (
            int(match["hour"]) < 24
            and int(match["minute"]) < 60
            and (int(match["second"]) < 60 or _is_leap_second(match))
            and int(match["zone_hour"] or 0) < 24
            and int(match["zone_minute"] or 0) < 60
        )
        if not in_range:
            raise ValueError
    except ValueError:
        raise PydanticCustomError(
            "date_time", "Input should be an RFC 3339 date-time, like 2026-01-31T09:30:00Z"
        ) from None
    return value


def _is_leap_second(match: re.Match[str]) -> bool:
    """A second 60, which there is only in the last minute of a day in UTC."""
    zone = int(match["zone_hour"] or 0) * 60 + int(match["zone_minute"] or 0)
    minutes = int(match["hour"]) * 60 + int(match["minute"])
    in_utc = minutes + zone if match["sign"] == "-" else minutes - zone
    return int(match["second"]) == 60 and in_utc % (24 * 60) == _LAST_MINUTE


def is_url(value: str) -> bool:
    """Whether it is an http or https URL with a host, of at most 2000 characters.

    People follow these links: another scheme, such as javascript, leads nowhere or does more than
    lead somewhere. A user name is allowed, as in RFC 3986.
    """
    match = _URL.fullmatch(value) if len(value) <= URL_MAX else None
    if not match or (match["port"] and int(match["port"]) not in _PORTS):
        return False
    try:
        IPv6Address(match["ipv6"] or "::")
    except ValueError:
        return False
    return True


def _url(value: str) -> str:
    if is_url(value):
        return value
    raise PydanticCustomError(
        "uri",
        "Input should be an http or https URL with a host, percent-encoded as RFC 3986 requires,"
        " such as https://example.com/incidents/1",
    )


def _few_fields(value: Any) -> Any:
    """pydantic describes everything that is wrong with an object, however much that is."""
    if isinstance(value, dict) and len(value) > FIELDS_MAX:
        raise PydanticCustomError(
            "too_many_fields", "Input should have at most {max} fields", {"max": FIELDS_MAX}
        )
    return value


def _property_name(value: str) -> str:
    if ":" in value or value.startswith("_"):
        raise PydanticCustomError(
            "property_name", "A property's name must not contain ':' or begin with '_'"
        )
    if value == WORKSPACE_PROPERTY:
        raise PydanticCustomError("reserved", "This property is reserved for Relay")
    return value


SiteEntityId = Annotated[str, Field(min_length=1, max_length=SITE_ID_MAX)]
EntityId = Annotated[str, Field(min_length=1, max_length=ID_MAX)]
SequenceNumber = Annotated[int, Field(ge=INT64_MIN, le=INT64_MAX)]
Summary = Annotated[str, Field(max_length=TEXT_MAX)]
Description = Annotated[str, Field(max_length=DESCRIPTION_MAX)]
Url = Annotated[str, Field(max_length=URL_MAX), AfterValidator(_url)]
DateTime = Annotated[str, Field(max_length=DATE_TIME_MAX), AfterValidator(_date_time)]
# A list is given up at its first bad item, as it may hold any number of them.
Ids = Annotated[list[EntityId], Field(fail_fast=True, min_length=1, max_length=LIST_MAX)]
# The length of a name is not documented; it takes the value's.
PropertyName = Annotated[
    str, Field(min_length=1, max_length=TEXT_MAX), AfterValidator(_property_name)
]
Properties = Annotated[
    dict[PropertyName, Annotated[str, Field(max_length=TEXT_MAX)]],
    Field(max_length=PROPERTIES_MAX),
    BeforeValidator(_few_fields),
]
# Jira's pattern for the ids in a response to searchContainers.
CONTAINER_ID_PATTERN = r"^[a-zA-Z0-9\-_.~@:{}=]+(/[a-zA-Z0-9\-_.~@:{}=]+)*$"
ContainerId = Annotated[str, Field(pattern=CONTAINER_ID_PATTERN, max_length=ID_MAX)]
# SQS takes no longer id of a message's group, which is the workspace's.
WORKSPACE_ID_MAX = 128
WORKSPACE_ID_PATTERN = rf"^[A-Za-z0-9._~-]{{1,{WORKSPACE_ID_MAX}}}$"
WorkspaceId = Annotated[str, Field(pattern=WORKSPACE_ID_PATTERN)]


class Document(BaseModel):
    """What is sent to Relay: nothing is coerced, and an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, value: Any) -> Any:
        return _few_fields(value)


class JiraModel(Document):
    """What is sent on to Jira, with its own names for the fields."""

    def as_json(self) -> dict[str, Any]:
        """What goes to Jira: the fields that were given, none of them null."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


class Association(JiraModel):
    """Things of one type that an incident or a review belongs to. All associations of an entity
    together have at most 500 values."""

    associationType: Literal["issueIdOrKeys", "serviceIdOrKeys", "ati:cloud:compass:event-source"]
    """The type of the values: Jira issues, services of Jira Service Management, or event sources of
    Compass."""
    values: Annotated[
        list[Annotated[str, Field(max_length=TEXT_MAX)]],
        Field(fail_fast=True, max_length=ASSOCIATION_VALUES_MAX),
    ]
    """The ids or keys, such as `OPS-12`."""


def _few_values(associations: list[Association]) -> list[Association]:
    if sum(len(association.values) for association in associations) > ASSOCIATION_VALUES_MAX:
        raise PydanticCustomError(
            "too_many_values",
            "All associations together should have at most {max} values",
            {"max": ASSOCIATION_VALUES_MAX},
        )
    return associations


# 500 values in all is the rule of Jira's sibling APIs; the Operations pages give none.
Associations = Annotated[
    list[Association],
    Field(fail_fast=True, min_length=1, max_length=LIST_MAX),
    AfterValidator(_few_values),
]
