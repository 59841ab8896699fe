"""Section ``status``: the page that tells what the router is doing."""

from __future__ import annotations

from router.server.config.section import Section


class StatusSettings(Section):
    """The page at ``/status``. ``enabled`` left out: in development for everybody, else for the inspection scope.

    ``true`` shows it to everybody, ``false`` to nobody.
    """

    enabled: bool | None = None
