"""Files that a client sent with its request, on their way to the subgraphs whose fields take them.

A file is the value of a variable. In JSON it is null, and the content travels beside the JSON by the GraphQL multipart
request specification (jaydenseric/graphql-multipart-request-spec): ``{"0": ["variables.photo"]}`` maps it to its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO


class UploadedFile:
    """A file as the value of a variable; ``content`` may be read by several requests in turns.

    No dataclass: the JSON encoder would write its fields.
    """

    __slots__ = ("content", "content_type", "name", "size")

    def __init__(self, name: str, content_type: str, size: int, content: BinaryIO) -> None:
        self.name = name
        self.content_type = content_type
        self.size = size
        self.content = content

    def __repr__(self) -> str:
        return f"the file '{self.name}'"


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file in a request to a subgraph, and the ``paths`` of all variables that it is the value of."""

    file: UploadedFile
    paths: tuple[str, ...]

    def reader(self) -> FileReader:
        """The content from its beginning."""
        return FileReader(self.file)


class FileReader:
    """Reads a file by a position of its own: requests that send the same file at once do not disturb each other."""

    def __init__(self, file: UploadedFile) -> None:
        self._file = file
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; none at the end."""
        content = self._file.content
        content.seek(self._position)
        chunk = content.read(size)
        self._position += len(chunk)
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        """As files do."""
        self._position = offset + (0, self._position, self._file.size)[whence]
        return self._position

    def tell(self) -> int:
        """As files do."""
        return self._position


def files_in(variables: Mapping[str, object], names: Iterable[str]) -> tuple[SentFile, ...]:
    """The files among the values of the variables ``names``, each once."""
    found: dict[UploadedFile, list[str]] = {}
    for name in names:
        for file, path in _files_of(variables.get(name), f"variables.{name}"):
            found.setdefault(file, []).append(path)
    return tuple(SentFile(file, tuple(paths)) for file, paths in found.items())


def _files_of(value: object, path: str) -> Iterator[tuple[UploadedFile, str]]:
    if isinstance(value, UploadedFile):
        yield value, path
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _files_of(member, f"{path}.{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _files_of(member, f"{path}.{index}")
