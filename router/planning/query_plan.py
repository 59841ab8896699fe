"""The query plan: all that execution knows of an operation, and the only module of planning that it may import.

A plan is a set of fetches that depend on each other by data, not a tree of levels: a fetch starts as soon as the
fetches it ``depends_on`` have been merged. Everything is known before the request: the document that is sent, the
places whose entities it looks up, what a representation is made of, and which fields fall if the fetch fails.

The merged data that execution builds is shaped by *response keys*: the client's own, plus keys that planning added
(inputs of later fetches). An added key never collides with one of the client's.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.operation.model import Condition, DeferUsage, OperationKind


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step down the merged data: into ``response_key``, through any lists found there, at every depth.

    Where ``types`` is set, only objects whose ``__typename`` is among them are followed.
    """

    response_key: str
    types: tuple[str, ...] | None = None


Path = tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class InputField:
    """One field of a representation: ``name`` as the subgraph calls it, read from ``response_key`` of the merged data.

    ``nullable`` says whether null may be sent (never for key fields). ``inputs`` is None for leaves; else the value is
    an object, or lists of objects, from which these are taken.
    """

    name: str
    response_key: str
    nullable: bool
    inputs: tuple[InputSelection, ...] | None = None


@dataclass(frozen=True, slots=True)
class InputSelection:
    """Fields of a representation that apply to objects whose ``__typename`` is among ``types`` (None: to all).

    ``send_typename`` asks for the object's ``__typename`` beside the fields (the value is of an abstract type).
    """

    types: tuple[str, ...] | None
    fields: tuple[InputField, ...]
    send_typename: bool = False


@dataclass(frozen=True, slots=True)
class Representation:
    """How the representation of an entity of one of ``types`` is built from the merged data.

    ``typename`` is what is sent as ``__typename`` (an interface's name towards a subgraph with an interface object);
    None sends the object's own. An entity with a null or missing field that is not ``nullable`` is not sent.
    ``types`` None means that the entity's type is certain and ``typename`` is set.
    """

    types: tuple[str, ...] | None
    typename: str | None
    fields: tuple[InputField, ...]


@dataclass(frozen=True, slots=True)
class OwnedField:
    """A field of the CLIENT's selection that a fetch brings at the place it merges into, or at ``path`` below that.

    If the fetch fails, an error is put at ``response_key`` of every such place (of an object whose ``__typename`` is
    among ``types``, where set; not where one of ``conditions`` does not hold). A ``path`` leads through objects that
    another fetch brings as well: where that fetch brought none, the error is at the object. ``start_types`` restricts
    the objects that such a path starts from.
    """

    response_key: str
    types: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    path: Path = ()
    start_types: tuple[str, ...] | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """The response keys that lead to the field."""
        return (*(step.response_key for step in self.path), self.response_key)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Rename on arrival: in the objects at ``path`` (of ``types``), the key ``sent`` becomes ``response_key``.

    Needed only where two branches could not use one response name in this subgraph, or where a name had to be freed.
    """

    path: Path
    types: tuple[str, ...] | None
    sent: str
    response_key: str


@dataclass(frozen=True, slots=True)
class ExpectedShape:
    """What is at ``path`` of a subgraph's answer (by the names it was asked for): objects in ``lists`` levels of lists.

    Anything else becomes null with an error before it is merged. Told only where that would cost others something.
    ``types`` are the names that ``__typename`` may have, where inputs are chosen by it; else None.
    """

    path: tuple[str, ...]
    lists: int
    types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable of a lookup whose value comes from an object around each entity: ``depth`` steps down the lookup's
    only path, 0 for the root.

    ``selections`` lead to one leaf, for each type. A null is sent only where ``type`` allows one. Where the values of
    entities differ, the lookup's ``_entities`` field is asked once for each value, in the same request.
    """

    variable: str
    type: str
    depth: int
    selections: tuple[InputSelection, ...]


@dataclass(frozen=True, slots=True)
class ComputedField:
    """Fields of a lookup that need more than the entity's key: ``inputs`` (the key among them), and ``contexts``, by
    the names of their variables. ``selections`` ask for them, also within objects that are asked for without them.
    """

    selections: tuple[str, ...]
    owned: tuple[OwnedField, ...]
    inputs: tuple[InputField, ...]
    contexts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SelectionsByNeed:
    """What a lookup asks of the entities of one representation, by what it needs: ``selections`` the ``key`` alone.

    It says what can be asked for all the same of entities that lack inputs of some ``computed`` fields.
    """

    type_condition: str
    key: tuple[InputField, ...]
    selections: tuple[str, ...]
    owned: tuple[OwnedField, ...]
    computed: tuple[ComputedField, ...]


@dataclass(frozen=True, slots=True)
class EntityLookup:
    """One ``_entities`` field of a fetch: entities at ``paths`` become the list in ``variable``.

    ``alias`` is the response key of that ``_entities`` field in the subgraph's answer. Its result i is merged into
    every place whose representation was the i-th of the deduplicated list. ``rewrites`` paths start at the entity.
    ``by_need`` has an item for each representation; it is empty where all fields need the same.
    """

    alias: str
    variable: str
    paths: tuple[Path, ...]
    representations: tuple[Representation, ...]
    owned: tuple[OwnedField, ...]
    rewrites: tuple[Rewrite, ...] = ()
    contexts: tuple[ContextVariable, ...] = ()
    shapes: tuple[ExpectedShape, ...] = ()
    by_need: tuple[SelectionsByNeed | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph.

    ``id`` is its index in the plan. ``document`` is sent as it is; ``variables`` names the client's variables that it
    uses. ``lookups`` is empty for a fetch of root fields, which then ``owned`` names and ``rewrites`` (from the root)
    restores. ``run_if``: the fetch is needed if any of these alternatives has all its conditions true; empty means
    always.

    ``at`` is set where root fields are asked again below the root, of a ``Query`` object in the data (as mutations
    return): what comes is merged into every object at these paths, ``owned`` and ``rewrites`` start there, and the
    fetch is not needed where there is none.

    ``part`` is 0 for what is answered first, else the number of the deferred part that needs it.
    """

    id: int
    subgraph: str
    kind: OperationKind
    document: str
    operation_name: str | None
    variables: tuple[str, ...]
    depends_on: tuple[int, ...] = ()
    lookups: tuple[EntityLookup, ...] = ()
    owned: tuple[OwnedField, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    run_if: tuple[tuple[Condition, ...], ...] = ()
    at: tuple[Path, ...] = ()
    shapes: tuple[ExpectedShape, ...] = ()
    part: int = 0


@dataclass(frozen=True, slots=True)
class DeferredPart:
    """Fields that all of the deferred fragments ``usages``, and no others, wait for: fetched and delivered once.

    ``number`` counts from 1. ``after`` are the parts that must be delivered before.
    """

    number: int
    usages: tuple[DeferUsage, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """Fetches in an order in which each comes after what it depends on.

    Mutations: the fetches of one root field depend on all those of the root field before it, so the order is serial.
    ``fetches`` is empty where only ``__typename`` or introspection was asked. ``deferred`` are the parts of the answer
    that follow the first, if there are any.
    """

    kind: OperationKind
    fetches: tuple[Fetch, ...]
    deferred: tuple[DeferredPart, ...] = ()
