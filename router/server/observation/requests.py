"""A step that begins the record of each request."""

from __future__ import annotations

from router.server.config.telemetry import TelemetrySettings
from router.server.http.exchange import Exchange, Step
from router.server.observation.record import RECORD, RequestRecord
from router.server.observation.stage_durations import StageDurations

FETCHES_HEADER = b"x-galleria-fetches"


class Recording(Step):
    """The service finds a request's record in RECORD, and compilation finds its observer there.

    A request of which nothing is to be noted has no record, and costs no more than finding that out.
    """

    def __init__(self, settings: TelemetrySettings, stages: StageDurations, *, explains: bool) -> None:
        self._client_header = settings.client_name_header.encode()
        self._stages = stages
        self._notes_all = settings.metrics.operations
        self._explains = explains

    def begin(self, exchange: Exchange) -> None:
        """Begin the record, where there is to be one."""
        fields = exchange.fields
        asks_for_fetches = self._explains and fields.get(FETCHES_HEADER) == b"1"
        record = None
        if self._notes_all or asks_for_fetches or exchange.spans is not None:
            client = fields.get(self._client_header, b"")
            record = RequestRecord(client, asks_for_fetches, self._stages, exchange.spans)
        RECORD.set(record)
