"""An answer's body, decoded as far as a limit of bytes allows."""

import zlib
from collections.abc import Iterator

import httpx

ENCODING = "gzip"
_PLAIN = ("", "identity")
_GZIP = (ENCODING, "x-gzip")
# zlib's number for gzip's header and trailer.
_GZIP_WBITS = 31


class AnswerTooLarge(httpx.RequestError):
    """The body has more bytes than the caller reads, as it is sent or once it is inflated."""


class BoundedAnswer(httpx.SyncByteStream):
    """The parts of a body, with its Content-Encoding undone; never more than `bytes_max` in all.

    Iterating raises AnswerTooLarge, or httpx.DecodingError for an encoding that was not asked for
    or is broken.
    """

    def __init__(self, stream: httpx.SyncByteStream, encoding: str, bytes_max: int) -> None:
        self._stream = stream
        self._encoding = encoding.strip().lower()
        self._bytes_max = bytes_max

    def __iter__(self) -> Iterator[bytes]:
        if self._encoding in _PLAIN:
            return self._bounded()
        if self._encoding in _GZIP:
            return self._inflated()
        raise httpx.DecodingError("the answer has a Content-Encoding that was not asked for")

    def close(self) -> None:
        self._stream.close()

    def _bounded(self) -> Iterator[bytes]:
        room = self._bytes_max
        for part in self._stream:
            room -= len(part)
            if room < 0:
                raise AnswerTooLarge(f"the answer has more than {self._bytes_max} bytes")
            yield part

    def _inflated(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_GZIP_WBITS)
        room = self._bytes_max
        empty = True
        for part in self._bounded():
            empty = False
            try:
                inflated = inflater.decompress(part, room + 1)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
            room -= len(inflated)
            if room < 0:
                raise AnswerTooLarge(f"the answer inflates to more than {self._bytes_max} bytes")
            yield inflated
        if not (inflater.eof or empty):
            raise httpx.DecodingError("the answer ends within its gzip data")
