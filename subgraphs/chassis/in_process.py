"""The services as ASGI apps by name, for a process that runs several: ``subgraphs.chassis.in_process:orders``.

An app is made when it is first asked for, from the settings in the environment as ``mall serve`` reads them.
"""

from __future__ import annotations

from starlette.applications import Starlette

from subgraphs.chassis.app import create_app
from subgraphs.chassis.command import load_service
from subgraphs.chassis.settings import read_settings


def __getattr__(name: str) -> Starlette:
    """The app of the service ``name``. SettingsError where its settings are wrong."""
    if name.startswith("_"):
        raise AttributeError(name)
    service = load_service(name)
    return create_app(service, read_settings(service.settings, name))
