"""The plan of an answer, and what each of its fetches took, for whoever asks for it and may see it.

It goes into the answer's ``extensions`` under ``galleria``.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.planning import plan_to_json
from router.planning.query_plan import Fetch, QueryPlan
from router.server.observation.record import FetchRecord

JsonObject = dict[str, object]


def explain(plan: QueryPlan, fetches: Sequence[FetchRecord], began: float, ended: float) -> JsonObject:
    """``{"galleria": {"plan": ..., "fetches": [...], "executionMs": ...}}``; times count from ``began``."""
    unused = list(plan.fetches)
    told = [_told(fetch, _fetch_of(fetch, unused), began) for fetch in fetches]
    return {"galleria": {"plan": plan_to_json(plan), "fetches": told, "executionMs": _ms(ended - began)}}


def _told(fetch: FetchRecord, planned: Fetch | None, began: float) -> JsonObject:
    told: JsonObject = {
        "fetch": planned.id if planned is not None else None,
        "subgraph": fetch.subgraph,
        "startMs": _ms(fetch.started - began),
        "durationMs": _ms(fetch.ended - fetch.started),
        "requestBytes": fetch.request_bytes,
    }
    optional = {"status": fetch.status, "representations": fetch.representations, "code": fetch.code}
    told |= {name: value for name, value in optional.items() if value is not None}
    if fetch.status is not None:
        told["responseBytes"] = fetch.response_bytes
    return told


def _fetch_of(fetch: FetchRecord, unused: list[Fetch]) -> Fetch | None:
    """The fetch of the plan that was sent: by its document, which contexts may have changed; else by its subgraph."""
    same = [one for one in unused if one.subgraph == fetch.subgraph]
    found = next((one for one in same if one.document == fetch.document), same[0] if same else None)
    if found is not None:
        unused.remove(found)
    return found


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
