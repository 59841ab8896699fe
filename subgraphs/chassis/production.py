"""What a production start refuses: the development key, secrets that can be guessed, keys over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.identity.keys import has_development_key
from subgraphs.chassis.settings import ServiceSettings

SHORTEST_SECRET = 16
WITHOUT_PASSWORD = ("MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC")
"""Ways to log in to MongoDB for which the URL holds no secret."""


def check_production(settings: ServiceSettings) -> None:
    """Raise SettingsError, one line that names every wrong variable and no secret, where production must not start.

    In development nothing is refused.
    """
    if settings.development:
        return
    problems = [*_weak_secrets(settings), *_untrusted_keys(settings)]
    if problems:
        raise SettingsError("; ".join(problems))


def _weak_secrets(settings: ServiceSettings) -> Iterator[str]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if not isinstance(value, SecretStr):
            continue
        variable, secret = name.upper(), _secret_of(value.get_secret_value())
        if value == field.default:
            yield f"{variable}: is the default of development; production needs a secret of its own"
        elif secret is not None and len(secret) < SHORTEST_SECRET:
            yield f"{variable}: its secret is shorter than {SHORTEST_SECRET} characters; production needs a longer one"
        elif secret is not None and len(set(secret)) < SHORTEST_SECRET // 3:
            yield f"{variable}: its secret is the same few characters again and again; production needs a random one"


def _secret_of(value: str) -> str | None:
    """The secret in ``value``: the password (or token) of a URL, else all of it; None where none is needed."""
    parts = urlsplit(value)
    if not parts.scheme or not parts.netloc:
        return value
    if parse_qs(parts.query).get("authMechanism", [""])[0] in WITHOUT_PASSWORD:
        return None
    return unquote(parts.password or (parts.username if parts.scheme in ("nats", "tls") else "") or "")


def _untrusted_keys(settings: ServiceSettings) -> Iterator[str]:
    url, path = settings.jwks_url, settings.jwks_file
    if not url and not path:
        yield "JWKS_URL: is not set, nor is JWKS_FILE; production needs one of them"
    if url and urlsplit(url).scheme != "https":
        # Whoever can change the answer on its way could sign any token.
        yield "JWKS_URL: must begin with https:// in production"
    if path and path.is_file() and has_development_key(path.read_bytes()):
        yield "JWKS_FILE: holds the development key, which production must not trust; name the keys of your issuer"
