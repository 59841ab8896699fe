"""What is wrong with a YAML file, without what stands there: any line of it may hold a secret."""

from __future__ import annotations

import re

import yaml

# These are told with the text that is wrong; brackets, indicators and kinds of tokens are told as they are.
_NAMED = re.compile(r"\b(alias|anchor|tag|handle) (['\"]).*\2", re.DOTALL)


def yaml_fault(error: Exception) -> str:
    """Problem and place on one line: ``while parsing a flow node, did not find ... (line 1, column 5)``."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, yaml.MarkedYAMLError):
        # A number or a date that is none, or a character that no text has.
        return str(error) if isinstance(error, yaml.YAMLError) else "a number or a date in it cannot be one"
    said = ", ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
    return " ".join(_NAMED.sub(r"\1", said).split()) + place
