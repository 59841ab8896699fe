"""A document is valid for a schema, by the specification's rules (section 5), within a bound of work."""

from __future__ import annotations

from graphql import DocumentNode, GraphQLError, GraphQLSchema, specified_rules, validate
from graphql.validation import OverlappingFieldsCanBeMergedRule, ValidationContext
from graphql.validation.validate import ValidationAbortedError

from router.errors import OperationError
from router.operation.document import with_code
from router.operation.limits import TOO_LARGE

VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
# Whether fields can be merged is asked for each pair of the same name, at two units a pair: 50,000 pairs are 300 times
# the same field, and take half a second. graphql-core's own bound is five times that.
MAX_MERGE_WORK = 100_000
_TOO_MUCH_WORK = "Validation aborted."


def validate_document(api_schema: GraphQLSchema, document: DocumentNode, *, hide_suggestions: bool) -> None:
    """OperationError: GRAPHQL_VALIDATION_FAILED with one error for each violated rule, or OPERATION_TOO_LARGE where
    its fields and fragments repeat each other too often to compare them all."""
    errors = validate(api_schema, document, _RULES, hide_suggestions=hide_suggestions)
    if not errors:
        return
    if isinstance(errors[-1], ValidationAbortedError) and errors[-1].message == _TOO_MUCH_WORK:
        message = "The operation names the same fields and fragments too often: name each once where it can be."
        raise OperationError(TOO_LARGE, message)
    told = tuple(with_code(_without_reason(error), VALIDATION_FAILED) for error in errors)
    raise OperationError(VALIDATION_FAILED, told[0].message, told)


def _without_reason(error: GraphQLError) -> GraphQLError:
    """An error without what Python says of it, as of an integer of five thousand digits."""
    if not isinstance(error.original_error, ValueError):
        return error
    return GraphQLError(error.message.partition(", but encountered error")[0] + ".", error.nodes)


class _BoundedMerging(OverlappingFieldsCanBeMergedRule):
    """The rule "Field Selection Merging" (section 5.3.2), with our bound."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MAX_MERGE_WORK


_RULES = tuple(_BoundedMerging if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules)
