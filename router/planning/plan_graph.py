"""A query plan as a picture: a box for each fetch, an arrow for each wait, as Mermaid or as DOT (Graphviz)."""

from __future__ import annotations

from router.planning.plan_text import part_title
from router.planning.query_plan import Fetch, Path, QueryPlan

NOTHING = "No fetches: the router answers alone."


def render_mermaid(plan: QueryPlan) -> str:
    """A Mermaid flowchart, ending with a newline."""
    lines = ["flowchart TD"]
    if not plan.fetches:
        lines.append(f'  nothing["{NOTHING}"]')
    for number, title in _parts(plan):
        if title:
            lines.append(f'  subgraph part{number}["{_mermaid_text(title)}"]')
        for fetch in _of_part(plan, number):
            label = "<br/>".join(_mermaid_text(line) for line in _label(fetch))
            lines.append(f'  f{fetch.id}["{label}"]')
        if title:
            lines.append("  end")
    lines += (f"  f{before} --> f{fetch.id}" for fetch in plan.fetches for before in fetch.depends_on)
    return "\n".join(lines) + "\n"


def render_dot(plan: QueryPlan) -> str:
    """A DOT digraph, ending with a newline."""
    lines = ["digraph plan {", "  node [shape=box, fontname=monospace];"]
    if not plan.fetches:
        lines.append(f'  nothing [label="{NOTHING}"];')
    for number, title in _parts(plan):
        if title:
            lines.append(f'  subgraph cluster_part{number} {{ label="{_dot_text(title)}";')
        for fetch in _of_part(plan, number):
            label = "".join(_dot_text(line) + r"\l" for line in _label(fetch))
            lines.append(f'  f{fetch.id} [label="{label}"];')
        if title:
            lines.append("  }")
    lines += (f"  f{before} -> f{fetch.id};" for fetch in plan.fetches for before in fetch.depends_on)
    return "\n".join([*lines, "}"]) + "\n"


def _parts(plan: QueryPlan) -> list[tuple[int, str]]:
    """The parts of the answer with their titles; one without a title where nothing is deferred."""
    if not plan.deferred:
        return [(0, "")]
    return [(0, "Primary"), *((part.number, part_title(part)) for part in plan.deferred)]


def _of_part(plan: QueryPlan, part: int) -> list[Fetch]:
    return [fetch for fetch in plan.fetches if fetch.part == part]


def _label(fetch: Fetch) -> list[str]:
    """``#1 stock``, what it looks up and where, and on what conditions it runs."""
    lines = [f"#{fetch.id} {fetch.subgraph}"]
    for lookup in fetch.lookups:
        names = {
            name for one in lookup.representations for name in ((one.typename,) if one.typename else one.types or ())
        }
        lines.append(f"{' | '.join(sorted(names))} at {', '.join(_path(path) for path in lookup.paths)}")
    if fetch.run_if:
        terms = (" and ".join(f"{'' if c.include else 'not '}${c.variable}" for c in terms) for terms in fetch.run_if)
        lines.append(f"if {' or '.join(terms)}")
    return lines


def _path(path: Path) -> str:
    return ".".join(step.response_key for step in path)


def _mermaid_text(text: str) -> str:
    """``text`` with the characters that Mermaid reads itself as entities."""
    return "".join(f"#{ord(character)};" if character in '#"<>&' else character for character in text)


def _dot_text(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")
