"""What the generated projection calls where a value is not simply what was asked for: null, absent, or misshapen.

The generated code handles a sound value inline, so all of this runs seldom. Paths come as linked pairs
``((None, "orders"), 0)``, which cost one small tuple a step, and are unrolled only here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from router.field_error import ClientPath, FieldError
from router.operation.authorization import UNAUTHORIZED

INVALID_RESPONSE = "SUBGRAPH_INVALID_RESPONSE"
NULL_IN_NON_NULLABLE_FIELD = "NULL_IN_NON_NULLABLE_FIELD"

LookForAbsent = Callable[[], Sequence[FieldError]]
LinkedPath = tuple[Any, str | int] | None
JsonObject = dict[str, Any]
_MAX_SAFE_INT = 2**53


class Completion:
    """The state of one projection: the request's ``variables``, and the errors found so far.

    ``earlier`` are the errors of execution; ``introspection`` the answers to introspection fields by response key.
    ``look_for_absent`` gives more of the former, and is asked when the first absent key is met.
    """

    __slots__ = (
        "_by_path",
        "_earlier",
        "_inherited",
        "_look_for_absent",
        "_told",
        "errors",
        "introspection",
        "variables",
    )

    def __init__(
        self,
        variables: Mapping[str, object],
        earlier: Sequence[FieldError],
        introspection: Mapping[str, object],
        look_for_absent: LookForAbsent | None = None,
    ) -> None:
        self.variables = variables
        self.introspection = introspection
        self.errors: list[FieldError] = []
        self._earlier = earlier
        self._look_for_absent = look_for_absent
        self._inherited: set[ClientPath] = set()
        self._by_path: dict[ClientPath, FieldError] | None = None
        self._told: set[ClientPath] | None = None

    @property
    def has_earlier(self) -> bool:
        """Whether execution has told errors by now."""
        return bool(self._earlier)

    def all_errors(self) -> list[FieldError]:
        """The errors of execution and of projection; one whose place turned out to be there, and which was told at
        the missing fields below it instead, is left out."""
        if not self._inherited:
            return [*self._earlier, *self.errors]
        return [*(e for e in self._earlier if e.path not in self._inherited), *self.errors]

    def irregular(self, value: Any, parent: Any, path: LinkedPath, step: str | int, expected: str) -> None:
        """Null where ``value`` is null or absent; else null and an error, because ``expected`` is something else."""
        if value is None:
            if type(parent) is dict and step not in parent:
                self._meet_absent(path, step)
            return
        at = unroll((path, step))
        message = f"Expected {expected} from the subgraph, but found {_describe(value)}."
        self._tell(FieldError(at, message, {"code": INVALID_RESPONSE}))

    def _meet_absent(self, path: LinkedPath, step: str | int) -> None:
        if self._look_for_absent is not None:
            look, self._look_for_absent = self._look_for_absent, None
            more = look()
            if more:
                self._earlier, self._by_path, self._told = [*self._earlier, *more], None, None
        if self._earlier:
            self._inherit(unroll((path, step)))

    def leaf(self, value: Any, parent: Any, path: LinkedPath, step: str | int, scalar: str) -> Any:
        """The value as ``scalar`` serialises it; null, with an error unless it is null, where it cannot."""
        if value is not None:
            coerced = _COERCE[scalar](value)
            if coerced is not None:
                return coerced
        self.irregular(value, parent, path, step, scalar)
        return None

    def null(self, path: LinkedPath, step: str | int, where: str) -> None:
        """A field that cannot be null is: an error there, unless one at or below it explains it already."""
        at = unroll((path, step))
        if at not in self._explained():
            message = f"Cannot return null for non-nullable field {where}."
            self._tell(FieldError(at, message, {"code": NULL_IN_NON_NULLABLE_FIELD}))

    def null_item(self, items: list[Any], path: LinkedPath, where: str) -> None:
        """As :meth:`null`, for the first null of a list of which none may be."""
        self.null(path, items.index(None), where)

    def unknown_type(self, value: JsonObject, path: LinkedPath, abstract: str) -> None:
        """An object whose ``__typename`` is not among the possible types that clients may see.

        Where it has none, an error at or below it explains that: what was to bring it has failed.
        """
        found, at = value.get("__typename"), unroll(path)
        if found is None and at in self._explained():
            return
        what = (
            f"an object of another type than {abstract}" if isinstance(found, str) else "an object without __typename"
        )
        message = f"Expected {abstract} from the subgraph, but found {what}."
        self._tell(FieldError(at, message, {"code": INVALID_RESPONSE}))

    def unauthorized(self, path: LinkedPath, step: str | int, where: str) -> None:
        """Null, because the requester may not see the field ``where``."""
        self._deny(unroll((path, step)), where)

    def unauthorized_object(self, path: LinkedPath, type_name: str) -> None:
        """Null, because the requester may not see objects of the type that this one turned out to be of."""
        self._deny(unroll(path), type_name)

    def _deny(self, at: ClientPath, where: str) -> None:
        message = f"Not authorized to see {where}."
        self._tell(FieldError(at, message, {"code": UNAUTHORIZED}))

    def _tell(self, error: FieldError) -> None:
        self.errors.append(error)
        if self._told is not None:
            self._told.update(_prefixes(error.path))

    def _explained(self) -> set[ClientPath]:
        if self._told is None:
            self._told = {prefix for error in (*self._earlier, *self.errors) for prefix in _prefixes(error.path)}
        return self._told

    def _inherit(self, at: ClientPath) -> None:
        """Tell at ``at``, which no subgraph answered, the error of the nearest place above it, if there is one."""
        if self._by_path is None:
            self._by_path = {error.null_path: error for error in self._earlier if error.path}
        if at in self._explained():
            return
        for prefix in reversed(list(_prefixes(at[:-1]))):
            error = self._by_path.get(prefix)
            if error is not None:
                self._inherited.add(prefix)
                self._tell(error.at(at))
                return


def unroll(path: LinkedPath) -> ClientPath:
    """The linked path as a tuple from the root."""
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return tuple(reversed(steps))


def _prefixes(path: ClientPath) -> Iterable[ClientPath]:
    return (path[:length] for length in range(1, len(path) + 1))


def _describe(value: Any) -> str:
    """The JSON kind of ``value``; not the value, which may be private."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "a number")


def _as_string(value: Any) -> str | None:
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (int, float) else None


def _as_id(value: Any) -> str | None:
    return str(value) if type(value) is int else None


def _as_int(value: Any) -> int | None:
    return int(value) if type(value) is float and value.is_integer() and -(2**31) <= value < 2**31 else None


def _as_float(value: Any) -> float | None:
    return None if isinstance(value, (dict, list, str, bool)) else value


def _refuse(_: Any) -> None:
    return None


# For values that the generated code did not take as they are; by graphql-core's rules of serialisation, loosely.
_COERCE: Mapping[str, Callable[[Any], Any]] = {
    "String": _as_string,
    "ID": _as_id,
    "Int": _as_int,
    "Float": _as_float,
    "Boolean": _refuse,
}
