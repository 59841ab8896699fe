"""The README's table of settings is that of the settings models."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from subgraphs.chassis.command import load_service, service_names
from subgraphs.chassis.settings import ServiceSettings
from tests.readme import table_below


def rows() -> Iterator[str]:
    """The table's rows: what all services share, then each service's own."""
    shared = ServiceSettings.model_fields
    yield from (_row(name, "all", field) for name, field in shared.items())
    for service in service_names():
        own = load_service(service).settings.model_fields
        yield from (_row(name, service, field) for name, field in own.items() if name not in shared)


def _row(name: str, service: str, field: FieldInfo) -> str:
    variable = name if service == "all" else f"{service}_{name}"
    return f"| `{variable.upper()}` | {service} | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, SecretStr):
        return "for development only"
    if field.default is None:
        return "-"
    return f"`{int(field.default) if isinstance(field.default, bool) else field.default}`"


def test_the_table_lists_every_setting_as_it_is() -> None:
    _, *documented = table_below("Settings of the services")
    assert documented == list(rows())


def test_every_setting_says_what_it_is() -> None:
    assert not [row for row in rows() if row.endswith("| None |")]
