"""The root fields of a mutation at their turns: of several mentions of one, the first whose conditions hold counts.

Before: ``first @include(if: $a) { id }   other   first { name }``
After:  ``first @include(if: $a) { id name }   other   first @skip(if: $a) { name }``

So each runs once and in its place whatever the variables are, with all that is selected of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from router.errors import PlanningError
from router.operation.model import Condition, Field, InlineFragment, Selection
from router.planning.limits import LIMIT
from router.planning.positions import Conditions

# Mentions under several conditions each double the turns that their field may have.
MAX_TURNS = 64

Turn = tuple[Selection, ...]


def take_turns(selections: Iterable[Selection], target_types: Mapping[str, str]) -> list[Turn]:
    """``selections`` of the root by the places where they run; ``target_types`` are those of fields, by name.

    A turn has the mentions of one response key that follow each other. Turns of one response key exclude each other.
    PlanningError(QUERY_PLANNING_LIMIT) where one field may have more than MAX_TURNS of them.
    """
    turns = [tuple(same) for _, same in groupby(selections, _key)]
    of_key: dict[str, list[Turn]] = {}
    for turn in turns:
        of_key.setdefault(_key(turn[0]), []).append(turn)
    if len(of_key) == len(turns):
        return turns
    taken: list[Turn] = []
    for turn in turns:
        same = of_key[_key(turn[0])]
        number = next(number for number, one in enumerate(same) if one is turn)
        taken += _taken(turn, same[:number], same[number + 1 :], target_types)
    return taken


def _key(selection: Selection) -> str:
    # The root is an object: what is not a field of it has been taken apart or left out.
    assert isinstance(selection, Field)  # noqa: S101 - see above
    return selection.response_key


def _taken(
    turn: Turn, before: Iterable[Turn], after: Iterable[Turn], target_types: Mapping[str, str]
) -> Iterator[Turn]:
    """``turn`` where none of those ``before`` counts, with what those ``after`` select; nothing where it never does."""
    later = [mention for one in after for mention in one if isinstance(mention, Field)]
    mentions: list[Field] = []
    for mention in turn:
        assert isinstance(mention, Field)  # noqa: S101 - as in _key
        for conditions in _alternatives(mention, before):
            below = tuple(_selected([replace(mention, conditions=()), *later], conditions, target_types))
            mentions.append(replace(mention, conditions=conditions, selections=below))
    if mentions:
        yield tuple(mentions)


def _alternatives(mention: Field, before: Iterable[Turn]) -> list[Conditions]:
    """The conditions, in alternatives, under which ``mention`` is included and none of the turns ``before`` is."""
    alternatives: list[Conditions] = [mention.conditions]
    for other in (other for turn in before for other in turn):
        alternatives = [rest for one in alternatives for rest in _without(one, other.conditions)]
        if len(alternatives) > MAX_TURNS:
            message = f"The field {mention.response_key} is selected under too many conditions: select it once."
            raise PlanningError(LIMIT, message)
    return alternatives


def _without(alternative: Conditions, conditions: Conditions) -> Iterator[Conditions]:
    """``alternative`` where not all of ``conditions`` hold, in parts that exclude each other."""
    held = alternative
    for condition in conditions:
        if condition in held:
            continue
        if _not(condition) in held:
            yield held
            return
        yield _sorted((*held, _not(condition)))
        held = _sorted((*held, condition))


def _selected(mentions: Iterable[Field], known: Conditions, target_types: Mapping[str, str]) -> Iterator[Selection]:
    """What ``mentions`` select together where ``known`` conditions hold."""
    for mention in mentions:
        if any(_not(condition) in known for condition in mention.conditions):
            continue
        rest = tuple(condition for condition in mention.conditions if condition not in known)
        if rest and mention.selections:
            yield InlineFragment(target_types[mention.name], rest, mention.selections)
        else:
            yield from mention.selections


def _not(condition: Condition) -> Condition:
    return Condition(condition.variable, not condition.include)


def _sorted(conditions: Iterable[Condition]) -> Conditions:
    return tuple(sorted(conditions, key=lambda condition: (condition.variable, condition.include)))
