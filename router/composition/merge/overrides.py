"""``@override``: which subgraphs give up resolving a field, for good or for a part of the requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from router.composition.merge.context import MergeContext, Sources
from router.composition.schema import Application, Field, TypeKind, applied
from router.federation.error_codes import ErrorCode
from router.federation.hint_codes import HintCode

_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*")
_PERCENT = re.compile(r"percent\((?:100|\d{1,2}(?:\.\d{1,8})?)\)")


@dataclass(frozen=True, slots=True)
class FieldOverrides:
    """How one field's subgraphs (by index) take part in overrides.

    ``removed``: overridden and used by nothing, so they no longer count as declaring the field. ``used``: overridden,
    yet still selected by keys and the like of their own subgraph. ``labels``: both sides of a progressive override.
    """

    removed: frozenset[int] = frozenset()
    used: frozenset[int] = frozenset()
    labels: Mapping[int, str] | None = None
    overridden: frozenset[int] = frozenset()

    def label(self, index: int) -> str | None:
        """The label under which the subgraph's field is chosen, if there is one."""
        return self.labels.get(index) if self.labels else None


NO_OVERRIDES = FieldOverrides()


def read_overrides(context: MergeContext, type_name: str, sources: Sources[Field]) -> FieldOverrides:
    """Check the overrides of one field and tell what they do; what is in error has no effect."""
    applications = {
        index: application
        for index, field in sources.items()
        if field.directives and (application := applied(field, "override")) is not None
    }
    if not applications:
        return NO_OVERRIDES
    by_name = {subgraph.name: index for index, subgraph in enumerate(context.subgraphs)}
    removed, used, overridden = set[int](), set[int](), set[int]()
    labels: dict[int, str] = {}
    for index, application in applications.items():
        check = _Override(context, type_name, sources, index, application)
        target = check.target(by_name, applications)
        if target is None:
            continue
        overridden.add(target)
        is_used = (type_name, sources[target].name) in context.subgraphs[target].usage.used
        if check.label is not None:
            labels |= {index: check.label, target: check.label}
        elif not is_used:
            removed.add(target)
        if is_used and not check.is_external(target):
            used.add(target)
        check.overridden_hint(target, is_used=is_used, labelled=target in labels)
    return FieldOverrides(frozenset(removed), frozenset(used), labels, frozenset(overridden))


@dataclass(frozen=True, slots=True)
class _Override:
    """One ``@override`` and the checks of it."""

    context: MergeContext
    type_name: str
    sources: Sources[Field]
    index: int
    application: Application

    @property
    def coordinate(self) -> str:
        return f"{self.type_name}.{self.sources[self.index].name}"

    @property
    def label(self) -> str | None:
        label = self.application.arguments.get("label")
        return label if label and isinstance(label, str) else None

    def is_external(self, index: int) -> bool:
        return self.context.subgraphs[index].usage.is_external(self.type_name, self.sources[index].name)

    @property
    def here(self) -> dict[int, Application]:
        return {self.index: self.application}

    def target(self, by_name: Mapping[str, int], all_overrides: Mapping[int, Application]) -> int | None:
        """The subgraph that gives up the field; None if there is none or something is wrong.

        One where the field is @external gives up nothing. A label holds all the same: without it nobody is chosen.
        """
        context, place = self.context, f'"{self.coordinate}" of subgraph "{self.context.name(self.index)}"'
        source = self.application.arguments.get("from")
        if context.relations.kinds.get(self.type_name) is TypeKind.INTERFACE and not self._is_interface_object(
            self.index
        ):
            message = f"@override cannot be used on {place}, a field of an interface"
            context.error(ErrorCode.OVERRIDE_ON_INTERFACE, message, self.here)
            return None
        if source == context.name(self.index) and not self._is_interface_object(self.index):
            message = f'@override on {place} names its own subgraph in "from"'
            context.error(ErrorCode.OVERRIDE_FROM_SELF_ERROR, message, self.here)
            return None
        if self._collision(by_name):
            return None
        target = by_name.get(str(source))
        if target is None:
            message = f'@override on {place} names the subgraph "{source}", which does not exist'
            context.hint(HintCode.FROM_SUBGRAPH_DOES_NOT_EXIST, message, self.here, self.coordinate)
            return None
        if target not in self.sources:
            message = f'"{source}" no longer has the field {place}; its @override can be removed'
            context.hint(HintCode.OVERRIDE_DIRECTIVE_CAN_BE_REMOVED, message, self.here, self.coordinate)
            return None
        if target in all_overrides:
            message = f'@override on {place} names "{source}", where the field has an @override too'
            context.error(ErrorCode.OVERRIDE_SOURCE_HAS_OVERRIDE, message, {**self.here, target: all_overrides[target]})
            return None
        self._check_label(place)
        if self.is_external(target):
            message = f'{place} is @external in "{source}" already; its @override can be removed'
            context.hint(HintCode.OVERRIDE_DIRECTIVE_CAN_BE_REMOVED, message, self.here, self.coordinate)
            return target if self.label is not None else None
        return target

    def _is_interface_object(self, index: int) -> bool:
        type_ = self.context.subgraphs[index].schema.types.get(self.type_name)
        return type_ is not None and applied(type_, "interfaceObject") is not None

    def _collision(self, by_name: Mapping[str, int]) -> bool:
        """Whether the field cannot be overridden for what else it is; reports why."""
        context = self.context
        place = f'"{self.coordinate}" of subgraph "{context.name(self.index)}"'
        target = by_name.get(str(self.application.arguments.get("from")))
        if self._is_interface_object(self.index) or (target is not None and self._is_interface_object(target)):
            message = f"@override cannot be used on {place}, a field of an @interfaceObject"
            context.error(ErrorCode.OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE, message, self.here)
            return True
        found: list[tuple[int, str]] = []
        if self.is_external(self.index):
            found.append((self.index, "external"))
        if target is not None and target in self.sources:
            found.extend((target, spec) for spec in ("requires", "provides") if applied(self.sources[target], spec))
        for index, spec in found:
            message = (
                f'@override cannot be used on {place}, as the field is @{spec} in subgraph "{context.name(index)}"'
            )
            context.error(ErrorCode.OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE, message, self.here)
        return bool(found)

    def _check_label(self, place: str) -> None:
        label = self.label
        if label is None or _LABEL.fullmatch(label) or _PERCENT.fullmatch(label):
            return
        message = (
            f'The @override label "{label}" on {place} must be letters, digits or any of "_-:./" after a letter, '
            f"or percent(x) with x from 0 to 100 and at most 8 decimals"
        )
        self.context.error(ErrorCode.OVERRIDE_LABEL_INVALID, message, self.here)

    def overridden_hint(self, target: int, *, is_used: bool, labelled: bool) -> None:
        """Tell that the overridden field is on its way out."""
        place = f'"{self.coordinate}" of subgraph "{self.context.name(target)}"'
        still = "; its own @key, @requires, @provides or interfaces still use it" if is_used else ""
        if labelled:
            code, message = HintCode.OVERRIDE_MIGRATION_IN_PROGRESS, f"{place} is being migrated by @override{still}"
        else:
            code, message = HintCode.OVERRIDDEN_FIELD_CAN_BE_REMOVED, f"{place} is overridden and can be removed{still}"
        self.context.hint(code, message, {target: self.sources[target]}, self.coordinate)
