"""Specification URLs of ``@link``: ``https://specs.apollo.dev/federation/v2.3`` and their versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from router.errors import GalleriaError

APOLLO_SPECS = "https://specs.apollo.dev"
FEDERATION_IDENTITY = f"{APOLLO_SPECS}/federation"
JOIN_IDENTITY = f"{APOLLO_SPECS}/join"
LINK_IDENTITY = f"{APOLLO_SPECS}/link"
_VERSION = re.compile(r"v(\d{1,9})\.(\d{1,9})")


class FeatureUrlError(GalleriaError):
    """The URL of a ``@link`` does not name a specification and its version (code ``INVALID_LINK_IDENTIFIER``)."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A specification's version; those of one major version are compatible upwards."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class FeatureUrl:
    """A specification: its ``identity`` (the URL without the version), its ``name`` and ``version``."""

    identity: str
    name: str
    version: Version

    def __str__(self) -> str:
        return f"{self.identity}/{self.version}"

    @property
    def is_apollo_spec(self) -> bool:
        """Whether the specification is one of those that Federation itself knows by their identity."""
        return self.identity.rpartition("/")[0] == APOLLO_SPECS


def parse_feature_url(url: str) -> FeatureUrl:
    """Read a specification URL; raises FeatureUrlError where it has no path, name or ``v<major>.<minor>``."""
    parts = urlsplit(url)
    segments = parts.path.removesuffix("/").split("/")[1:]
    if not segments or not any(segments):
        raise FeatureUrlError("INVALID_LINK_IDENTIFIER", f"The feature url '{url}' has no path")
    version = _VERSION.fullmatch(segments[-1])
    if version is None:
        message = f"The feature url '{url}' must end in a version such as v1.2, but ends in '{segments[-1]}'"
        raise FeatureUrlError("INVALID_LINK_IDENTIFIER", message)
    name = segments[-2] if len(segments) > 1 else ""
    if not name:
        raise FeatureUrlError("INVALID_LINK_IDENTIFIER", f"The feature url '{url}' has no name before its version")
    identity = f"{parts.scheme}://{parts.netloc}/{'/'.join(segments[:-1])}"
    return FeatureUrl(identity, name, Version(int(version[1]), int(version[2])))
