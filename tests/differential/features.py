"""Which features a case has, by name, so that none of what is drawn can vanish unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.differential.comparison import Case

IN_OPERATIONS = {
    "mutation operation": r"^mutation",
    "subscription operation": r"^subscription",
    "mutations in series": r"^mutation[^{]*{\s*\S*: ?\w+.*\n?.*(also_|do_|count_|finish_)",
    "named fragment": r"\.\.\.Part\d",
    "fragment on an interface": r"\.\.\. ?on [IJ]\b",
    "fragment in a fragment": r"\.\.\. on \w+ { [^{}]*\.\.\. on",
    "alias": r"\ba\d+: ",
    "alias that is a field's name": r"\b(id|sku|f\d|label|value): (?!ID|Int|String)\w+",
    "alias that other fields have": r"\bof_\w+: \w+",
    "alias that is a name of ours": r"\b(_entities|_entities_0|representations|_typename|_id): \w+",
    "variable": r"\$v\d",
    "variable with a default": r"\$v\d+: [^,)=]+ = ",
    "input object": r"\bwish: {",
    "variable in a literal": r"(\[[^\]]*|\{\w+: [^{}]*)\$v\d+[^{}]*[\]}]",
    "include": r"@include",
    "skip": r"@skip",
    "condition on a key": r"\b(id|sku|code) @(include|skip)",
    "__typename": r"\b__typename",
    "introspection": r"__schema|__type\(",
    "query below a mutation": r"\bquery {",
}


def features_of(case: Case) -> Iterator[str]:
    """The features of a case's operation, and of how it is run; those of its subgraphs were counted when drawn."""
    for name, pattern in IN_OPERATIONS.items():
        if re.search(pattern, case.operation):
            yield name
    if case.failing is not None:
        yield f"failure: {case.failure}"
    if case.broken:
        yield "broken fields"
    if case.labels:
        yield "active labels"
