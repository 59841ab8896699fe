"""Where the elements of a Strawberry schema's SDL stand in Python: the class, its attribute, or the resolver.

The result maps lines of the SDL, because composition finds its errors there.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import parse
from strawberry.schema import BaseSchema

from router.composition.subgraph import Origin


def read_origins(schema: BaseSchema, sdl: str) -> Mapping[int, Origin]:
    """The Python place of each line of ``sdl`` whose class or resolver has source; other lines are absent."""
    origins: dict[int, Origin] = {}
    for definition in parse(sdl).definitions:
        name = getattr(definition, "name", None)
        type_ = schema.get_type_by_name(name.value) if name is not None else None
        class_ = getattr(type_, "origin", None) or getattr(type_, "wrapped_cls", None)
        if not inspect.isclass(class_):
            continue
        _put(origins, definition, _class_origin(class_))
        fields = {schema.config.name_converter.get_graphql_name(f): f for f in getattr(type_, "fields", ())}
        for node in getattr(definition, "fields", None) or ():
            field = fields.get(node.name.value)
            if field is not None:
                _put(origins, node, _field_origin(field, class_))
    return origins


def _put(origins: dict[int, Origin], node: Any, origin: Origin | None) -> None:
    if origin is not None and node.loc is not None:
        first, last = node.loc.start_token.line, node.loc.end_token.line
        origins.update(dict.fromkeys(range(first, last + 1), origin))


def _class_origin(class_: type) -> Origin | None:
    return _find(class_, rf"\s*class\s+{class_.__name__}\b")


def _field_origin(field: Any, class_: type) -> Origin | None:
    if field.base_resolver is not None:
        return _find(inspect.unwrap(field.base_resolver.wrapped_func), r"\s*(async\s+)?def\s")
    return _find(field.origin or class_, rf"\s*{re.escape(field.python_name)}\s*[:=]")


def _find(element: Any, pattern: str) -> Origin | None:
    """The first line of an element's source that matches; None where Python has no source of it."""
    try:
        file = inspect.getsourcefile(element)
        lines, first = inspect.getsourcelines(element)
    except (OSError, TypeError):
        return None
    return next(_matches(file or "", lines, first, pattern), None)


def _matches(file: str, lines: list[str], first: int, pattern: str) -> Iterator[Origin]:
    for number, line in enumerate(lines, first):
        if re.match(pattern, line):
            yield Origin(file, number, len(line) - len(line.lstrip()) + 1)
