"""A subgraph that is ready to be merged."""

from __future__ import annotations

from dataclasses import dataclass

from router.composition.preprocess.usage import FieldUsage
from router.composition.schema import Schema
from router.federation.connect_spec import CONNECT_IDENTITY, federation_version_needed
from router.federation.directives import FEDERATION_1_VERSION
from router.federation.feature_url import Version
from router.federation.link import Links


@dataclass(frozen=True, slots=True)
class PreparedSubgraph:
    """A validated subgraph without Federation's machinery; ``version`` is None for Federation 1."""

    name: str
    url: str
    schema: Schema
    links: Links
    version: Version | None
    usage: FieldUsage

    @property
    def effective_version(self) -> Version:
        """The version whose rules apply.

        An upgraded Federation 1 subgraph counts as one of Federation 2, and what it links may need a later version.
        """
        connect = self.links.by_identity(CONNECT_IDENTITY)
        version = self.version or FEDERATION_1_VERSION
        return max(version, federation_version_needed(connect.url.version)) if connect else version

    def is_external(self, type_name: str, field_name: str) -> bool:
        """Whether this subgraph declares the field but leaves it to others to resolve."""
        return self.usage.is_external(type_name, field_name)
