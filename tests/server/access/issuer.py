"""An issuer of tokens with real keys, whose clock a test moves."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

NAME = "https://id.test"
AUDIENCE = "mall"


class Issuer:
    """Signs with the key named last; ``asked`` counts who wanted the JWKS, ``away`` makes it fail."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.asked = 0
        self.away = False
        self.keys: dict[str, Any] = {}
        self.rotate("one")

    def rotate(self, *names: str) -> None:
        """Have these keys, and no other."""
        self.keys = {name: self.keys.get(name) or ec.generate_private_key(ec.SECP256R1()) for name in names}

    def use_rsa(self, name: str) -> None:
        """Have one RSA key."""
        self.keys = {name: rsa.generate_private_key(65537, 2048)}

    def jwks(self) -> bytes:
        """The public keys."""
        return json.dumps({"keys": [self._public(name) for name in self.keys]}).encode()

    async def fetch(self) -> bytes:
        """The public keys, as a URL gives them."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise OSError("down")
        return self.jwks()

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def token(self, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; a claim of None is left out."""
        name, key = list(self.keys.items())[-1]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**claims), key, algorithm, headers={"kid": name, **(headers or {})})

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token says, with changes."""
        usual = {"iss": NAME, "aud": AUDIENCE, "sub": "ada", "exp": self.now + 60}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def _public(self, name: str) -> dict[str, Any]:
        key = self.keys[name].public_key()
        algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPublicKey) else ECAlgorithm
        return {**algorithm.to_jwk(key, as_dict=True), "kid": name}


class IssuerNow(Issuer):
    """An issuer by the real clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = time.time()
