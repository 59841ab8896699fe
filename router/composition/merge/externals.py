"""External fields must be declared as those that resolve them declare them."""

from __future__ import annotations

from router.composition.merge.arguments import comparable_default
from router.composition.merge.context import MergeContext, Sources
from router.composition.merge.types import is_strict_subtype
from router.composition.schema import Field
from router.federation.error_codes import ErrorCode

_MERGED = frozenset({"tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "listSize"})
"""The directives of Federation that reach the supergraph from the subgraphs that resolve a field."""


def check_externals(
    context: MergeContext, place: str, merged: Field, external: Sources[Field], resolving: Sources[Field]
) -> None:
    """Compare the external declarations of one field with its merged form; errors ``EXTERNAL_*_MISMATCH`` and such."""
    types_differ = len({field.type for field in resolving.values()}) > 1
    wrong = {
        index: field
        for index, field in external.items()
        if field.type != merged.type
        and not (types_differ and is_strict_subtype(field.type, merged.type, context.relations))
    }
    if wrong:
        message = (
            f'The type of "{place}" is "{merged.type}" in {context.named(resolving)}, but where it is @external: '
            + ", ".join(f'"{field.type}" in {context.named([index])}' for index, field in wrong.items())
        )
        context.error(ErrorCode.EXTERNAL_TYPE_MISMATCH, message, {**resolving, **wrong})
    _check_arguments(context, place, merged, external)
    for index, field in external.items():
        for application in field.directives:
            if application.spec in _MERGED or application.name == "deprecated":
                message = f'@{application.name} cannot be applied to "{place}" where it is @external'
                context.error(ErrorCode.MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL, message, {index: field}, index)


def _check_arguments(context: MergeContext, place: str, merged: Field, external: Sources[Field]) -> None:
    for name, argument in merged.arguments.items():
        coordinate = f"{place}({name}:)"
        lacking = {index: field for index, field in external.items() if name not in field.arguments}
        if lacking:
            message = f'The argument "{coordinate}" is missing where the field is @external: {context.named(lacking)}'
            context.error(ErrorCode.EXTERNAL_ARGUMENT_MISSING, message, lacking)
        declared = {i: field.arguments[name] for i, field in external.items() if name in field.arguments}
        types = {
            i: value
            for i, value in declared.items()
            if value.type != argument.type and not is_strict_subtype(argument.type, value.type, context.relations)
        }
        if types:
            message = f'The type of "{coordinate}" is "{argument.type}", but another where the field is @external'
            context.error(ErrorCode.EXTERNAL_ARGUMENT_TYPE_MISMATCH, f"{message}: {context.named(types)}", types)
        wanted = comparable_default(context, argument)
        defaults = {i: value for i, value in declared.items() if comparable_default(context, value) != wanted}
        if defaults:
            message = f'The default value of "{coordinate}" is another where the field is @external'
            context.error(
                ErrorCode.EXTERNAL_ARGUMENT_DEFAULT_MISMATCH, f"{message}: {context.named(defaults)}", defaults
            )
