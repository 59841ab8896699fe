"""A subgraph that is ready to be merged."""

from __future__ import annotations

from dataclasses import dataclass

from router.composition.preprocess.usage import FieldUsage
from router.composition.schema import Schema
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
        """The version whose rules apply: an upgraded Federation 1 subgraph counts as one of Federation 2."""
        return self.version or FEDERATION_1_VERSION

    def is_external(self, type_name: str, field_name: str) -> bool:
        """Whether this subgraph declares the field but leaves it to others to resolve."""
        return self.usage.is_external(type_name, field_name)
