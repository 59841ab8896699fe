"""Directives that composition carries over to the supergraph: one application for what several subgraphs apply.

A repeatable directive keeps all different applications. For one that is not, the most frequent arguments win, but for
arguments that know how to be combined: costs take the maximum, scopes and policies must all hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from router.composition.merge.context import Element, MergeContext, Sources
from router.composition.schema import Application, DirectiveDefinition
from router.federation.alternatives import NOTHING_ASKED, TooManyAlternativesError, alternatives_in, meet_all
from router.federation.directives import DIRECTIVES, NoDefault
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode
from router.federation.literals import Literal, print_arguments

# Each request that touches a field is held against its alternatives one by one; twelve pairs multiply to as many.
MAX_ALTERNATIVES = 4096
Strategy = Callable[[Sequence[Literal]], Literal]


def _maximum(values: Sequence[Literal]) -> Literal:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return max(numbers) if numbers else None


def _union(values: Sequence[Literal]) -> Literal:
    lists = [value for value in values if isinstance(value, tuple)]
    return tuple(dict.fromkeys(item for items in lists for item in items)) if lists else None


def _all_true(values: Sequence[Literal]) -> Literal:
    flags = [value for value in values if value is not None]
    return all(flags) if flags else None


def conjunction(values: Sequence[Literal]) -> Literal:
    """AND of lists of alternatives, each a list of names that must all hold; an empty list of alternatives is true.

    TooManyAlternativesError where that is put together from more than MAX_ALTERNATIVES.
    """
    result = meet_all((alternatives_in(value) or NOTHING_ASKED for value in values), MAX_ALTERNATIVES)
    if result == NOTHING_ASKED:
        return next((value for value in values if value), ())
    return tuple(tuple(sorted(term)) for term in sorted(result, key=lambda term: (len(term), sorted(term))))


_STRATEGIES: Mapping[tuple[str, str], tuple[str, Strategy]] = {
    ("requiresScopes", "scopes"): ("all must hold", conjunction),
    ("policy", "policies"): ("all must hold", conjunction),
    ("cost", "weight"): ("maximum", _maximum),
    ("listSize", "assumedSize"): ("maximum", _maximum),
    ("listSize", "slicingArguments"): ("union", _union),
    ("listSize", "sizedFields"): ("union", _union),
    ("listSize", "requireOneSlicingArgument"): ("all must hold", _all_true),
}
_GRAPHQL_DEFAULTS: Mapping[str, Mapping[str, Literal]] = {"deprecated": {"reason": "No longer supported"}}


@dataclass(frozen=True, slots=True)
class MergedDirective:
    """A directive that reaches the supergraph: ``spec`` as in :class:`Application`, ``name`` the supergraph's.

    ``subgraphs`` are the only ones whose directive it is (None: all).
    """

    name: str
    spec: str
    repeatable: bool
    defaults: Mapping[str, Literal] = field(default_factory=dict)
    subgraphs: frozenset[int] | None = None


def federation_directive(spec: str, name: str) -> MergedDirective:
    """A directive of Federation under its name in the supergraph."""
    definition = DIRECTIVES[spec]
    defaults = {a.name: a.default for a in definition.arguments if not isinstance(a.default, NoDefault)}
    return MergedDirective(name, spec, definition.repeatable, defaults)


def graphql_directive(name: str, spec: str) -> MergedDirective:
    """A directive of GraphQL itself; ``spec`` tells it from one that subgraphs define under the same name."""
    return MergedDirective(name, spec, repeatable=False, defaults=_GRAPHQL_DEFAULTS.get(name, {}))


def custom_directive(definition: DirectiveDefinition, subgraphs: frozenset[int]) -> MergedDirective:
    """A directive that ``@composeDirective`` asks for, and that ``subgraphs`` link."""
    defaults = {n: a.default for n, a in definition.arguments.items() if not isinstance(a.default, NoDefault)}
    return MergedDirective(definition.name, "", definition.repeatable, defaults, subgraphs)


@dataclass(slots=True)
class DirectiveMerge:
    """Merges the applications on one element after another; ``used`` collects Federation's directives seen."""

    context: MergeContext
    directives: tuple[MergedDirective, ...]
    used: set[str] = field(default_factory=set)

    def merge(
        self, coordinate: str, applications: Sources[Sequence[Application]], elements: Mapping[int, Element]
    ) -> tuple[Application, ...]:
        """The applications for the supergraph of what each subgraph applies to one element."""
        if not any(applications.values()):
            return ()
        merged: list[Application] = []
        for directive in self.directives:
            found = {
                index: [a for a in sequence if self._is(directive, a)]
                for index, sequence in applications.items()
                if directive.subgraphs is None or index in directive.subgraphs
            }
            found = {index: sequence for index, sequence in found.items() if sequence}
            if found:
                self.used.add(directive.spec)
                merged.extend(self._merge_one(directive, coordinate, found, elements))
        return tuple(merged)

    @staticmethod
    def _is(directive: MergedDirective, application: Application) -> bool:
        if directive.spec or application.spec:
            return directive.spec == application.spec
        return directive.name == application.name

    def _merge_one(
        self,
        directive: MergedDirective,
        coordinate: str,
        found: Mapping[int, Sequence[Application]],
        elements: Mapping[int, Element],
    ) -> Iterable[Application]:
        distinct: dict[str, Application] = {}
        holders: dict[str, list[int]] = {}
        for index, sequence in found.items():
            for application in sequence:
                key = print_arguments(dict(sorted({**directive.defaults, **application.arguments}.items())))
                distinct.setdefault(key, application)
                holders.setdefault(key, []).append(index)
        if directive.repeatable or len(distinct) == 1:
            return [
                Application(directive.name, application.arguments, directive.spec) for application in distinct.values()
            ]
        combined = self._combine(directive, coordinate, list(distinct.values()), found, elements)
        if combined is not None:
            return [combined]
        chosen = max(holders, key=lambda key: len(holders[key]))
        message = (
            f"@{directive.name} is applied to {coordinate} with different arguments; the supergraph uses "
            f"({chosen}) of {self.context.named(holders[chosen])}"
        )
        places = {index: elements[index] for index in found if index in elements}
        self.context.hint(HintCode.INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS, message, places)
        return [Application(directive.name, distinct[chosen].arguments, directive.spec)]

    def _refuse_alternatives(
        self, directive: MergedDirective, coordinate: str, count: int, places: Mapping[int, Element]
    ) -> None:
        message = (
            f"@{directive.name} of {coordinate} must meet {count} lists of alternatives, which multiply to more than "
            f"{MAX_ALTERNATIVES}; name what several alternatives stand for, and ask for that name in their place"
        )
        self.context.error(ErrorCode.AUTH_REQUIREMENTS_TOO_MANY_ALTERNATIVES, message, places)

    def _combine(
        self,
        directive: MergedDirective,
        coordinate: str,
        applications: Sequence[Application],
        found: Mapping[int, object],
        elements: Mapping[int, Element],
    ) -> Application | None:
        """Merge argument by argument; None if the directive's arguments do not say how."""
        names = dict.fromkeys(name for application in applications for name in application.arguments)
        strategies = {name: _STRATEGIES.get((directive.spec, name)) for name in names}
        if not strategies or not all(strategies.values()):
            return None
        places = {index: elements[index] for index in found if index in elements}
        arguments: dict[str, Literal] = {}
        for name, strategy in strategies.items():
            values = [{**directive.defaults, **a.arguments}.get(name) for a in applications]
            if strategy is not None:
                try:
                    arguments[name] = strategy[1](values)
                except TooManyAlternativesError:
                    self._refuse_alternatives(directive, coordinate, len(values), places)
        how = ", ".join(f"{name}: {strategy[0]}" for name, strategy in strategies.items() if strategy)
        message = f"@{directive.name} is applied to {coordinate} with different arguments, which are merged ({how})"
        self.context.hint(HintCode.MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS, message, places)
        return Application(directive.name, arguments, directive.spec)
