"""Loading what the router serves: a supergraph SDL, or a supergraph.yaml that is composed first."""

from __future__ import annotations

from pathlib import Path

from router.errors import InputError
from router.supergraph.model import Supergraph
from router.supergraph.read import read_supergraph

_YAML = (".yaml", ".yml")


def load_supergraph(path: Path) -> Supergraph:
    """The supergraph in ``path``.

    InputError: INVALID_SUPERGRAPH (no such file, not a supergraph), COMPOSITION_FAILED, and those of load_subgraphs.
    """
    if path.suffix in _YAML:
        return read_supergraph(_compose(path))
    try:
        sdl = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{path}: {error.strerror}. Name a supergraph file with --supergraph FILE."
        raise InputError("INVALID_SUPERGRAPH", message) from None
    except UnicodeDecodeError:
        raise InputError("INVALID_SUPERGRAPH", f"{path}: not a text in UTF-8.") from None
    try:
        return read_supergraph(sdl)
    except InputError as error:
        raise InputError(error.code, f"{path}: {error.message}") from None


def _compose(path: Path) -> str:
    # Here, because a router that serves a supergraph SDL starts without the composer.
    from router import compose
    from router.composition.subgraphs_file import load_subgraphs

    composition = compose(load_subgraphs(path))
    if composition.supergraph_sdl is None:
        first, *more = composition.errors
        others = f" (and {len(more)} more)" if more else ""
        message = f"{path} does not compose: {first.code}: {first.message}{others}. See `galleria compose {path}`."
        raise InputError("COMPOSITION_FAILED", message)
    return composition.supergraph_sdl
