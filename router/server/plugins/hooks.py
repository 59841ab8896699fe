"""The plugins of the settings, loaded, and the hooks that they have, each a tuple in the order of the settings."""

from __future__ import annotations

import importlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from router.errors import InputError
from router.server.config.load import INVALID_CONFIG
from router.server.config.plugins import PluginSettings
from router.server.import_failure import import_failure
from router.server.plugins.plugin import Plugin
from router.server.request_error import RequestError

logger = logging.getLogger("galleria.router")

PLUGIN_FAILED = "PLUGIN_FAILED"


@dataclass(frozen=True, slots=True)
class Hooks:
    """By hook, the plugins that have it."""

    on_request: tuple[Plugin, ...]
    on_operation: tuple[Plugin, ...]
    on_plan: tuple[Plugin, ...]
    on_subgraph_request: tuple[Plugin, ...]
    on_subgraph_response: tuple[Plugin, ...]
    on_response: tuple[Plugin, ...]
    on_error: tuple[Plugin, ...]

    @property
    def has_operation_hooks(self) -> bool:
        """Whether anyone looks at operations."""
        return bool(self.on_operation or self.on_plan or self.on_error)


def load_hooks(settings: Sequence[PluginSettings]) -> Hooks | None:
    """The plugins, made with their settings; None where there is none. InputError: INVALID_CONFIG."""
    if not settings:
        return None
    plugins = [_make(index, one) for index, one in enumerate(settings)]
    names = Hooks.__dataclass_fields__
    return Hooks(**{hook: tuple(one for one in plugins if _has(type(one), hook)) for hook in names})


def has_subgraph_hooks(settings: Sequence[PluginSettings]) -> bool:
    """Whether one of the plugins looks at what goes to subgraphs or comes from them. InputError as load_hooks."""
    classes = [_load(index, one) for index, one in enumerate(settings)]
    return any(_has(one, hook) for one in classes for hook in ("on_subgraph_request", "on_subgraph_response"))


def failure_of(plugin: Plugin, hook: str, error: Exception) -> RequestError:
    """What the client is told of ``error``: the plugin's own refusal, or an id under which the log has the rest."""
    if isinstance(error, RequestError):
        return error
    incident = uuid.uuid4().hex
    logger.error("plugin %s failed in %s: %s", type(plugin).__qualname__, hook, incident, exc_info=error)
    message = f"A plugin of the router failed. Its log tells more under the id {incident}."
    return RequestError(500, PLUGIN_FAILED, message)


def _has(kind: type[Plugin], hook: str) -> bool:
    return getattr(kind, hook) is not getattr(Plugin, hook)


def _make(index: int, settings: PluginSettings) -> Plugin:
    kind = _load(index, settings)
    where = f"plugins.{index}"
    try:
        return kind(kind.Settings.model_validate(settings.settings))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(INVALID_CONFIG, f"{where}.settings.{key}: {first['msg']}") from None
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything while it is made
        reason = f"{type(error).__name__}: {error}"
        raise InputError(INVALID_CONFIG, f"{where}: {settings.use} cannot be made: {reason}") from None


def _load(index: int, settings: PluginSettings) -> type[Plugin]:
    module_name, _, name = settings.use.partition(":")
    try:
        found: object = vars(importlib.import_module(module_name)).get(name)
    except Exception as error:  # noqa: BLE001 - a module may raise anything while it is imported
        reason = import_failure(module_name, error)
        raise InputError(INVALID_CONFIG, f"plugins.{index}: {settings.use} cannot be loaded: {reason}") from None
    if not (isinstance(found, type) and issubclass(found, Plugin)):
        raise InputError(INVALID_CONFIG, f"plugins.{index}: {settings.use} is no subclass of router.Plugin.")
    return found
