"""Why code that the settings name cannot be imported, and what to do where its module is not found."""

from __future__ import annotations


def import_failure(module: str, error: Exception) -> str:
    """What ``error`` says of importing ``module``, as the end of a sentence.

    A module that ``module`` itself imports in vain is its own matter; one that it lies in, or it itself, may be in a
    folder that Python does not look into.
    """
    reason = f"{type(error).__name__}: {error}"
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and f"{module}.".startswith(f"{missing}."):
        return f"{reason}; PYTHONPATH must name the folder that it is in"
    return reason
