"""The settings of a router with all on that one before the public has, and of one with all of it off.

Also what the first one needs: keys, and requests whose token they verify.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

FOLDER = Path(__file__).parent / "configs"
ON = FOLDER / "features-on.yaml"
OFF = FOLDER / "features-off.yaml"
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Public:
    """What a public router's settings name: the ``environment`` that they are expanded by, and a client's headers."""

    environment: Mapping[str, str]
    headers: Mapping[str, str]


def public(folder: Path, collector: str) -> Public:
    """New keys, in a file in ``folder``, and a client whose token they verify; spans go to the ``collector``'s URL."""
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    keys = folder / "jwks.json"
    keys.write_text(json.dumps({"keys": [{**public_key, "kid": "one"}]}))
    claims = {"iss": "https://id.example", "aud": "shop", "sub": "ada", "exp": time.time() + 3600}
    headers = {
        "authorization": "Bearer " + jwt.encode(claims, key, "ES256", headers={"kid": "one"}),
        "accept-language": "en",
        "apollographql-client-name": "bench",
        "origin": "https://shop.example",
        "x-client-tenant": "one",
    }
    environment = {
        "BENCH_JWKS": str(keys),
        "BENCH_COLLECTOR": collector,
        "BENCH_SIGNING_KEY": f"bench:{secrets.token_hex(32)}",
    }
    return Public(environment, headers)


def sections() -> list[str]:
    """The sections of the settings with all on."""
    return list(read_settings(ON))


def write_settings(path: Path, name: str) -> None:
    """Settings with ``name`` on, a section, EVERYTHING or "" for nothing, in place of what turns that off."""
    on = read_settings(ON)
    chosen = on if name == EVERYTHING else {name: on[name]} if name else {}
    path.write_text(yaml.safe_dump({**read_settings(OFF), **chosen}))


def read_settings(path: Path) -> dict[str, Any]:
    """The settings as they are written."""
    settings: dict[str, Any] = yaml.safe_load(path.read_text())
    return settings
