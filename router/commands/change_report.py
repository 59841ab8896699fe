"""How ``check`` and ``diff`` tell of changes, and when they fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router.composition.schema_changes import Change, Comparison, Severity


def render_text(comparison: Comparison) -> str:
    """One line a change, under it the operations that it breaks; a sum at the end."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    for change in comparison.changes:
        yield f"{change.severity.name.lower():<9} {change.kind}: {change.message}"
        yield from (f"          breaks {label}" for label in change.breaks)
    explained = {label for change in comparison.changes for label in change.breaks}
    for label, messages in comparison.broken.items():
        if label not in explained:
            yield f"broken    {label}: {' '.join(messages)}"
    yield from (f"outdated  {label}: the schema as it is does not answer it" for label in comparison.outdated)
    counts = ", ".join(f"{comparison.count(severity)} {severity.name.lower()}" for severity in reversed(Severity))
    yield f"{counts}; {len(comparison.broken)} of {comparison.checked} stored operations broken"


def to_json(comparison: Comparison) -> Mapping[str, object]:
    """The same for tools."""
    return {
        "changes": [_change(change) for change in comparison.changes],
        "operations": {
            "checked": comparison.checked,
            "broken": [{"operation": label, "messages": texts} for label, texts in comparison.broken.items()],
            "outdated": comparison.outdated,
        },
    }


def _change(change: Change) -> Mapping[str, object]:
    return {
        "severity": change.severity.name,
        "kind": change.kind,
        "message": change.message,
        "coordinate": change.coordinate,
        "breaks": change.breaks,
    }


def is_refused(comparison: Comparison, strict: bool) -> bool:
    """Whether the command exits with 1: an operation breaks or, with ``--strict``, any change is breaking."""
    return bool(comparison.broken) or (strict and comparison.count(Severity.BREAKING) > 0)
