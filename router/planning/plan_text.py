"""A query plan as text for people: one paragraph for each fetch."""

from __future__ import annotations

from graphql import parse, print_ast

from router.operation.model import Condition
from router.planning.query_plan import (
    DeferredPart,
    EntityLookup,
    Fetch,
    InputField,
    InputSelection,
    Path,
    QueryPlan,
    Representation,
)


def render_text(plan: QueryPlan) -> str:
    """The plan, ending with a newline; fetches in the order of the plan, each with what it waits for."""
    if not plan.fetches:
        return "No fetches: the router answers alone.\n"
    depth = max(_depths(plan).values())
    count = len(plan.fetches)
    head = f"{count} {'fetch' if count == 1 else 'fetches'}, {depth} deep"
    if not plan.deferred:
        return "\n\n".join([head, *(_render_fetch(fetch) for fetch in plan.fetches)]) + "\n"
    parts = [_render_part("Primary", plan, 0)]
    parts += (_render_part(part_title(part), plan, part.number) for part in plan.deferred)
    return "\n\n".join([head, *parts]) + "\n"


def part_title(part: DeferredPart) -> str:
    """``Deferred 2: 'reviews' at product.reviews, after 1``: what is delivered together, and after which others."""
    names = [f"'{usage.label}'" if usage.label else "fragment" for usage in part.usages]
    places = [".".join(usage.path) or "the root" for usage in part.usages]
    fragments = (f"{name} at {place}" for name, place in zip(names, places, strict=True))
    after = f", after {', '.join(map(str, part.after))}" if part.after else ""
    return f"Deferred {part.number}: {' and '.join(fragments)}{after}"


def _render_part(title: str, plan: QueryPlan, part: int) -> str:
    fetches = [_render_fetch(fetch) for fetch in plan.fetches if fetch.part == part]
    return "\n\n".join([title, *(fetches or ["No fetches of its own."])])


def _depths(plan: QueryPlan) -> dict[int, int]:
    depths: dict[int, int] = {}
    for fetch in plan.fetches:
        depths[fetch.id] = 1 + max((depths[before] for before in fetch.depends_on), default=0)
    return depths


def _render_fetch(fetch: Fetch) -> str:
    after = f" after {', '.join(f'#{before}' for before in fetch.depends_on)}" if fetch.depends_on else ""
    condition = f" if {' or '.join(_conditions(a) for a in fetch.run_if)}" if fetch.run_if else ""
    lines = [f"#{fetch.id} {fetch.subgraph}{after}{condition}"]
    lines += (f"  {render_lookup(lookup)}" for lookup in fetch.lookups)
    if fetch.at:
        lines.append(f"  into {', '.join(_path(path) for path in fetch.at)}")
    for rewrite in fetch.rewrites:
        lines.append(f"  rename {rewrite.sent} to {rewrite.response_key} at {_path(rewrite.path) or 'the root'}")
    document = print_ast(parse(fetch.document, no_location=True))
    lines += ("    " + line for line in document.splitlines())
    return "\n".join(lines)


def render_lookup(lookup: EntityLookup) -> str:
    """``$representations: Order { id } at orders.node``, then a line for each context and each renaming."""
    paths = ", ".join(_path(path) for path in lookup.paths)
    representations = " | ".join(_representation(representation) for representation in lookup.representations)
    text = f"${lookup.variable}: {representations} at {paths}"
    for context in lookup.contexts:
        value = " ".join(_selection(selection) for selection in context.selections) or "null"
        text += f"\n  ${context.variable}: {value} of {_path(lookup.paths[0][: context.depth]) or 'the root'}"
    for rewrite in lookup.rewrites:
        place = _path(rewrite.path) or "the entity"
        text += f"\n  rename {rewrite.sent} to {rewrite.response_key} at {place}"
    return text


def _representation(representation: Representation) -> str:
    typename = representation.typename or "/".join(representation.types or ())
    return f"{typename} {{ {' '.join(_input(field) for field in representation.fields)} }}"


def _input(field: InputField) -> str:
    text = field.name if field.name == field.response_key else f"{field.name}: {field.response_key}"
    if field.inputs is None:
        return text
    return f"{text} {{ {' '.join(_selection(selection) for selection in field.inputs)} }}"


def _selection(selection: InputSelection) -> str:
    fields = " ".join(_input(field) for field in selection.fields)
    return fields if selection.types is None else f"... on {'/'.join(selection.types)} {{ {fields} }}"


def _conditions(conditions: tuple[Condition, ...]) -> str:
    return " and ".join(f"{'' if c.include else 'not '}${c.variable}" for c in conditions)


def _path(path: Path) -> str:
    return ".".join(f"{step.response_key}{f'[{chr(124).join(step.types)}]' if step.types else ''}" for step in path)
