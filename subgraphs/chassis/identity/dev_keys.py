"""The development key: made at first use, kept under ``<data>/keys/``, never for production.

``key.pem`` (mode 0600) signs what ``mall token`` prints; ``jwks.json`` is what services verify with.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.identity.keys import DEVELOPMENT_MARK

PRIVATE_KEY_FILE = "key.pem"
JWKS_FILE = "jwks.json"


def ensure_key(directory: Path) -> jwt.PyJWK:
    """The development key that signs, made with its JWKS if it is not there; safe with several processes at once.

    Raises SettingsError where the directory cannot be written or the key not be read.
    """
    private = directory / PRIVATE_KEY_FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not private.exists():
            _publish(private, _new_private_key(), 0o600)
        key = _signing_key(private.read_bytes())
        if not (directory / JWKS_FILE).exists():
            _publish(directory / JWKS_FILE, _jwks(private.read_bytes()), 0o644)
    except (OSError, ValueError) as error:
        raise SettingsError(f"GALLERIA_DATA: the development key under {directory} is not usable: {error}") from None
    return key


def _new_private_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _publish(path: Path, content: bytes, mode: int) -> None:
    """Write the whole file at once; if somebody else was first, theirs stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _signing_key(pem: bytes) -> jwt.PyJWK:
    return jwt.PyJWK(_jwk(pem, private=True))


def _jwks(pem: bytes) -> bytes:
    key = {**_jwk(pem, private=False), DEVELOPMENT_MARK: True}
    return orjson.dumps({"keys": [key]}, option=orjson.OPT_INDENT_2)


def _jwk(pem: bytes, *, private: bool) -> dict[str, str]:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic curve key")
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    key_id = hashlib.sha256(f"{public['x']}{public['y']}".encode()).hexdigest()[:16]
    numbers = ECAlgorithm.to_jwk(key, as_dict=True) if private else public
    return {**numbers, "kid": key_id, "alg": "ES256", "use": "sig"}
