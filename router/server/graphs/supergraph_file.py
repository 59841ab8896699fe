"""Loading what the router serves: a supergraph SDL, or a supergraph.yaml that is composed first.

``read_source(path)`` reads, ``build_supergraph(source)`` composes and understands: apart, because a source that has
not changed need not be built again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import InputError
from router.supergraph.model import Supergraph
from router.supergraph.read import read_supergraph

if TYPE_CHECKING:
    from router.composition.compose import Composition
    from router.composition.subgraph import Subgraph
    from router.composition.subgraphs_file import FetchSdl

COMPOSITION_FAILED = "COMPOSITION_FAILED"
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class SupergraphSource:
    """What was read: the ``sdl`` of a supergraph, or the ``subgraphs`` to compose. Equal sources make equal graphs."""

    path: Path
    sdl: str | None = None
    subgraphs: tuple[Subgraph, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were read."""
        return (self.path, *(Path(one.file) for one in self.subgraphs if one.file is not None))

    @property
    def is_told_by_subgraphs(self) -> bool:
        """Whether a schema may change while no file does: a running subgraph told it."""
        return any(one.file is None for one in self.subgraphs)


class CompositionFailed(InputError):  # noqa: N818 - the outcome's name, as its code says it
    """COMPOSITION_FAILED: the message tells the first error of ``composition``, which may have many."""

    def __init__(self, source: SupergraphSource, composition: Composition) -> None:
        first, *more = composition.errors
        others = f" (and {len(more)} more)" if more else ""
        path = source.path
        message = f"{path} does not compose: {first.code}: {first.message}{others}. See `galleria compose {path}`."
        super().__init__(COMPOSITION_FAILED, message)
        self.source = source
        self.composition = composition


def load_supergraph(path: Path) -> Supergraph:
    """The supergraph in ``path``. InputError as the two steps say."""
    return build_supergraph(read_source(path))


def load_supergraph_sdl(path: Path) -> str:
    """The SDL of the supergraph in ``path``, composed if need be. InputError as read_source; CompositionFailed."""
    source = read_source(path)
    return source.sdl if source.sdl is not None else _compose(source)


def read_source(path: Path, fetch: FetchSdl | None = None) -> SupergraphSource:
    """Read ``path`` and what it names; ``fetch`` asks running subgraphs for their schema.

    InputError: INVALID_SUPERGRAPH (no such file), those of load_subgraphs.
    """
    if path.suffix in _YAML:
        # Here, because a router that serves a supergraph SDL starts without the composer.
        from router.composition.subgraphs_file import load_subgraphs

        return SupergraphSource(path, subgraphs=load_subgraphs(path, fetch=fetch))
    try:
        return SupergraphSource(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: {error.strerror}. Name a supergraph file with --supergraph FILE."
        raise InputError("INVALID_SUPERGRAPH", message) from None
    except UnicodeDecodeError:
        raise InputError("INVALID_SUPERGRAPH", f"{path}: not a text in UTF-8.") from None


def build_supergraph(source: SupergraphSource) -> Supergraph:
    """Compose, if need be, and understand. InputError: INVALID_SUPERGRAPH; CompositionFailed."""
    if source.sdl is None:
        return read_supergraph(_compose(source))
    try:
        return read_supergraph(source.sdl)
    except InputError as error:
        raise InputError(error.code, f"{source.path}: {error.message}") from None


def _compose(source: SupergraphSource) -> str:
    from router import compose

    composition = compose(source.subgraphs)
    if composition.supergraph_sdl is None:
        raise CompositionFailed(source, composition)
    return composition.supergraph_sdl
