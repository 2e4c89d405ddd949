"""The file of `relay export`: a line of JSON for each thing, written and read as a stream.

    {"relayExport": {"format": 1, "exportedAt": …, "workspace": {"id", "name", "url", …}}}
    {"container": {…}}
    {"incident": {…}, "acceptedAt": …, "properties": {…}, "providerMetadata"?: {…}}
    {"review": {…}, "acceptedAt": …, "properties": {…}, "providerMetadata"?: {…}}
    {"deletion": {"kind", "id", "updateSequenceNumber"?, "deletedAt"}}
    {"webhook": {"url"}}
    {"source": {"id", "kind", "settings", "hasSecret"}}
    {"end": {"container": 12, "incident": 3456, …}}

Of each kind there may be any number of lines, but of the first and the last; `end` has the number
of each. A stream without `end` was interrupted.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from relay_cli.failure import Failure
from relay_cli.feed import BadInput, compact, parse_json

FORMAT = 1
KINDS = ("container", "incident", "review", "deletion", "webhook", "source")
# Longer than any line: an entity has at most 350 KB of JSON, and its properties a few more.
_LINE_BYTES_MAX = 1024 * 1024
_HEADER = "relayExport"
_END = "end"
# The fields that an import reads itself; Relay checks all others.
_REQUIRED_FIELDS: Mapping[str, Mapping[str, type]] = {
    "webhook": {"url": str},
    "source": {"id": str, "kind": str, "settings": dict, "hasSecret": bool},
}
# Fields of a line beside its incident or review.
_OPTIONAL_FIELDS: Mapping[str, type] = {
    "acceptedAt": str,
    "properties": dict,
    "providerMetadata": dict,
}


@dataclass(frozen=True)
class Line:
    """`document` is the whole line, of which `value` is what its `kind` names."""

    number: int
    kind: str
    document: Mapping[str, Any]

    @property
    def value(self) -> dict[str, Any]:
        """The thing that the line is about."""
        found: dict[str, Any] = self.document[self.kind]
        return found


class ExportWriter:
    """Writes an export to standard output. Every method raises Failure if it can't be written."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self._out = sys.stdout.buffer

    def start(self, exported_at: str, workspace: Mapping[str, Any]) -> None:
        """The first line."""
        header = {"format": FORMAT, "exportedAt": exported_at, "workspace": workspace}
        self._write({_HEADER: header})

    def write(self, kind: str, value: Mapping[str, Any], **others: Any) -> None:
        """A line of one of KINDS."""
        self._write({kind: value, **others})
        self.written[kind] += 1

    def end(self) -> None:
        """The last line. All is written when this returns."""
        counts = {kind: self.written[kind] for kind in KINDS if self.written[kind]}
        self._write({_END: counts})
        self.flush()

    def flush(self) -> None:
        """Hands what is buffered to the file."""
        try:
            self._out.flush()
        except OSError as error:
            raise self._not_written(error) from None

    def _write(self, document: Mapping[str, Any]) -> None:
        try:
            self._out.write(compact(document) + b"\n")
        except OSError as error:
            raise self._not_written(error) from None

    def _not_written(self, error: OSError) -> Failure:
        # Python writes what is buffered again when it exits, and fails again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
        message = f"The export could not be written: {error.strerror}. The file is incomplete."
        return Failure(message, "not_written")


class ExportReader:
    """Reads an export. `source` names it in errors."""

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self._stream = stream
        self._source = source
        self._number = 0

    def workspace(self) -> dict[str, Any]:
        """The workspace in the first line. Raises BadInput if it is not that of an export."""
        line = self._next()
        header = line.get(_HEADER) if line else None
        if not isinstance(header, dict) or "format" not in header:
            raise BadInput(f"{self._source} is not a file of `relay export`.")
        if header["format"] != FORMAT:
            raise BadInput(
                f"{self._source} has the format {header['format']!r}; this `relay` reads the "
                f"format {FORMAT}. Import it with the version that wrote it, or a newer one."
            )
        workspace = header.get("workspace")
        if not isinstance(workspace, dict) or not isinstance(workspace.get("id"), str):
            raise BadInput(f"{self._source}, line 1: the workspace is missing.")
        return workspace

    def lines(self) -> Iterator[Line]:
        """The lines between the first and the last. Raises BadInput for a line that is not one of
        an export, and for a file that ends before its last line."""
        found: Counter[str] = Counter()
        while (document := self._next()) is not None:
            if _END in document:
                break
            kind = self._kind_of(document)
            found[kind] += 1
            yield Line(self._number, kind, document)
        else:
            raise BadInput(
                f"{self._source} ends early, after line {self._number}: the export was interrupted."
                " Export the workspace again."
            )
        if document != {_END: found} or self._stream.read(1):
            raise BadInput(
                f"{self._where}: the file is not as it was written: its last line counts other "
                "lines. Export the workspace again."
            )

    def _kind_of(self, document: dict[str, Any]) -> str:
        kinds = [kind for kind in KINDS if kind in document]
        if len(kinds) != 1 or not isinstance(document[kinds[0]], dict):
            raise BadInput(f"{self._where}: expected one of {', '.join(KINDS)}, end.")
        [kind] = kinds
        required, value = _REQUIRED_FIELDS.get(kind, {}), document[kind]
        wrong = [name for name in required if not isinstance(value.get(name), required[name])]
        wrong += [
            name
            for name in _OPTIONAL_FIELDS.keys() & document
            if not isinstance(document[name], _OPTIONAL_FIELDS[name])
        ]
        if wrong:
            raise BadInput(f"{self._where}: {wrong[0]} is missing or damaged.")
        return kind

    @property
    def _where(self) -> str:
        return f"{self._source}, line {self._number}"

    def _next(self) -> dict[str, Any] | None:
        """The next line's document; None at the end, and for a line that was cut off."""
        text = self._read()
        if not text.endswith(b"\n"):
            return None
        self._number += 1
        try:
            # An editor may have written a byte order mark.
            encoding = "utf-8-sig" if self._number == 1 else "utf-8"
            document = parse_json(text.decode(encoding), self._where)
        except UnicodeDecodeError:
            raise BadInput(f"{self._where} is not UTF-8.") from None
        if not isinstance(document, dict):
            raise BadInput(f"{self._where}: expected a JSON object.")
        return document

    def _read(self) -> bytes:
        try:
            text = self._stream.readline(_LINE_BYTES_MAX)
        except OSError as error:
            raise BadInput(f"{self._source} can't be read: {error.strerror}.") from None
        if len(text) == _LINE_BYTES_MAX:
            raise BadInput(f"{self._source}, line {self._number + 1} is longer than any.")
        return text
