"""Client document -> validated, normalised operation."""

from router.operation.deferral import split_deferred
from router.operation.document import parse_document
from router.operation.limits import OperationLimits
from router.operation.normalize import build_operation
from router.operation.variables import coerce_variables

__all__ = ["OperationLimits", "build_operation", "coerce_variables", "parse_document", "split_deferred"]
