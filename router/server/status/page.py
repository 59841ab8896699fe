"""The status as a page: plain HTML, made here, in which every text is escaped; it needs no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

Column = tuple[str, Callable[[Mapping[str, Any]], str]]
STYLE_PATH = "/status/style.css"
_NOTHING = "&ndash;"


def render_page(status: Mapping[str, Any]) -> str:
    """The whole page of what read_status gave."""
    body = "".join(
        (
            _head(status["router"]),
            _summary(status),
            _section("Subgraphs", _subgraphs(status["subgraphs"])),
            _section("Slowest operations", _operations(status["operations"])),
            _section("Last reloads", _reloads(status["reloads"])),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>Router status</title>'
        f'<link rel="stylesheet" href="{STYLE_PATH}"></head><body><main>{body}</main></body></html>\n'
    )


def _head(router: Mapping[str, Any]) -> str:
    worker = router["worker"]
    whose = f"Worker {worker['number']} of {worker['of']}; another request may come to another one. " if worker else ""
    facts = f"{whose}Process {router['pid']}, up for {_duration(router['uptimeS'])}, {_bytes(router['memoryBytes'])}."
    state = router["status"]
    return f"<header><h1>Router status {_badge(state, state == 'ready')}</h1><p>{escape(facts)}</p></header>"


def _summary(status: Mapping[str, Any]) -> str:
    requests, window = status["requests"], f"last {status['windowS']:.0f} s"
    figures = (
        (f"Requests a second ({window})", _text(requests["perSecond"])),
        ("p50", _ms(requests["p50Ms"])),
        ("p95", _ms(requests["p95Ms"])),
        ("Failed", _failed(requests["failed"])),
        ("In flight", _of_limit(requests)),
        ("Shed", _text(requests["shed"])),
        ("Subscriptions", _text(status["subscriptions"]["clients"])),
        ("Cached operations", _text(status["operationCache"]["cached"])),
    )
    return "<dl>" + "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in figures) + "</dl>"


def _subgraphs(subgraphs: Sequence[Mapping[str, Any]]) -> str:
    columns: Sequence[Column] = (
        ("Subgraph", lambda one: escape(one["name"])),
        ("Per second", lambda one: _text(one["perSecond"])),
        ("p50", lambda one: _ms(one["p50Ms"])),
        ("p95", lambda one: _ms(one["p95Ms"])),
        ("Failed", lambda one: _failed(one["failed"])),
        ("In flight", _of_limit),
        ("Waiting", lambda one: _text(one["waiting"])),
        ("Refused", lambda one: _text(one["refused"])),
        ("Retries", lambda one: _text(one["retries"])),
        ("Replicas", lambda one: _addresses(one["addresses"])),
    )
    return _table(columns, subgraphs) if subgraphs else "<p>No supergraph is loaded yet.</p>"


def _addresses(addresses: Sequence[Mapping[str, Any]]) -> str:
    return "<br>".join(f"{escape(one['address'])} {_state(one)}" for one in addresses) or _NOTHING


def _state(address: Mapping[str, Any]) -> str:
    if address["isDraining"]:
        return _badge("not ready", is_good=False)
    circuit = address["circuit"]
    again = f" for {address['opensInS']} s" if address["opensInS"] else ""
    return _badge(f"circuit {circuit}{again}", circuit == "closed")


def _operations(operations: Sequence[Mapping[str, Any]] | None) -> str:
    if operations is None:
        return "<p>Set <code>telemetry.metrics.operations</code> in router.yaml to have them measured.</p>"
    columns: Sequence[Column] = (
        ("Operation", lambda one: escape(one["name"])),
        ("Executions", lambda one: _text(one["executions"])),
        ("p50", lambda one: _ms(one["p50Ms"])),
        ("p95", lambda one: _ms(one["p95Ms"])),
        ("Slowest", lambda one: _ms(one["slowestMs"])),
        ("Plan of the slowest", lambda one: _plan(one["plan"])),
    )
    return _table(columns, operations) if operations else "<p>Nothing was executed yet.</p>"


def _plan(text: str) -> str:
    if not text:
        return "no fetch"
    fetches = text.count("\n#") + 1
    told = "1 fetch" if fetches == 1 else f"{fetches} fetches"
    return f"<details><summary>{told}</summary><pre>{escape(text)}</pre></details>"


def _reloads(reloads: Sequence[Mapping[str, Any]]) -> str:
    columns: Sequence[Column] = (
        ("When", lambda one: escape(one["at"])),
        ("Outcome", lambda one: _badge(one["outcome"], one["outcome"] == "swapped")),
        ("Reason", lambda one: escape(one["reason"])),
    )
    return _table(columns, reloads) if reloads else "<p>None since the start.</p>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title, _ in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell(row)}</td>' for _, cell in columns)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _badge(text: str, is_good: bool) -> str:
    return f'<span class="badge {"good" if is_good else "bad"}">{escape(text)}</span>'


def _failed(failed: Mapping[str, int]) -> str:
    return "<br>".join(f"{escape(name)}: {count}" for name, count in failed.items()) or "0"


def _of_limit(one: Mapping[str, Any]) -> str:
    return _NOTHING if one["limit"] is None else f"{_text(one['inFlight'])} of {_text(one['limit'])}"


def _text(value: object) -> str:
    return _NOTHING if value is None else escape(str(value))


def _ms(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.1f} ms"


def _bytes(value: int | None) -> str:
    return "memory unknown" if value is None else f"{value / 1e6:.0f} MB of memory"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
