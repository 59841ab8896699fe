"""The settings of TLS made into what subgraphs are spoken to with, and the files that they name."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from router.errors import InputError
from router.execution.http.tls import Tls
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.config.tls import SubgraphTlsSettings, TlsSettings
from router.told_url import told_url

_KEY = "subgraphs.tls"
_FILES = ("ca_file", "crl_file", "certificate_file", "key_file")


@dataclass(frozen=True, slots=True)
class TlsInput:
    """The settings, and what their files hold: of each the SHA-256, so that a renewed file makes another input."""

    settings: SubgraphTlsSettings
    digests: tuple[str, ...]


def tls_files(settings: SubgraphTlsSettings) -> tuple[Path, ...]:
    """The files that the settings name."""
    return tuple(path for _, path in _named(settings))


def read_tls(settings: SubgraphTlsSettings) -> TlsInput:
    """The settings with what their files hold now. InputError (INVALID_CONFIG) where one cannot be read."""
    return TlsInput(settings, tuple(_digest(key, path) for key, path in _named(settings)))


def open_tls(settings: SubgraphTlsSettings, subgraphs: Mapping[str, str]) -> Mapping[str, Tls]:
    """What each of the ``subgraphs`` is spoken to with, of which the settings say something; the values are URLs.

    InputError (INVALID_CONFIG) where a file cannot be read, is not what it should be, or does not go with another, and
    where settings are for a subgraph whose URL is not https.
    """
    read_tls(settings)  # which tells of a file that is not there in better words than OpenSSL
    contexts: dict[TlsSettings, ssl.SSLContext] = {}
    opened = {}
    for name, url in subgraphs.items():
        key = f"{_KEY}.subgraphs.{name}" if name in settings.subgraphs else _KEY
        wanted = _of(settings, name)
        if not url.startswith(("https:", "wss:")):
            if name in settings.subgraphs:
                raise InputError(INVALID_CONFIG, f"{key}: the URL of the subgraph is not https, but {told_url(url)}.")
            continue
        if wanted != TlsSettings():
            unnamed = wanted.model_copy(update={"server_name": None})
            if unnamed not in contexts:
                contexts[unnamed] = _context(key, unnamed)
            opened[name] = Tls(contexts[unnamed], wanted.server_name)
    return opened


def secured_urls(urls: Mapping[str, str], config: RouterConfig) -> Mapping[str, str]:
    """By name, a URL of each subgraph that tells whether any of its addresses is https."""
    subscriptions, addresses = config.subgraphs.subscriptions, config.traffic.addresses
    told = {}
    for name, url in urls.items():
        events = subscriptions[name].url if name in subscriptions else None
        known = (*addresses.get(name, ()), url, events or url)
        told[name] = next((one for one in known if one.startswith(("https:", "wss:"))), url)
    return told


def _of(settings: SubgraphTlsSettings, subgraph: str) -> TlsSettings:
    """What holds for one subgraph.

    A certificate and its key are of one place, never of both; and the lists for all are not those of its own authority.
    """
    own = settings.subgraphs.get(subgraph, TlsSettings())
    is_trust_own = own.ca_file is not None or own.crl_file is not None
    identity = own if own.certificate_file is not None else settings
    return TlsSettings(
        ca_file=own.ca_file or settings.ca_file,
        crl_file=own.crl_file if is_trust_own else settings.crl_file,
        certificate_file=identity.certificate_file,
        key_file=identity.key_file,
        key_password=identity.key_password,
        server_name=own.server_name or settings.server_name,
    )


def _context(key: str, settings: TlsSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError:
        message = f"{key}.ca_file: {settings.ca_file} holds no certificates of authorities in PEM."
        raise InputError(INVALID_CONFIG, message) from None
    if settings.crl_file is not None:
        _load_revocations(context, key, settings.crl_file)
    if settings.certificate_file is not None:
        _load_identity(context, key, settings)
    return context


def _load_revocations(context: ssl.SSLContext, key: str, path: Path) -> None:
    """From now on a certificate is believed only if a list of its authority, which is not too old, does not have it."""
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    with suppress(OSError):
        context.load_verify_locations(path)
    if not context.cert_store_stats()["crl"]:
        raise InputError(INVALID_CONFIG, f"{key}.crl_file: {path} holds no revocation lists of authorities in PEM.")


def _load_identity(context: ssl.SSLContext, key: str, settings: TlsSettings) -> None:
    password = settings.key_password.get_secret_value() if settings.key_password is not None else ""
    certificate, private = settings.certificate_file, settings.key_file or settings.certificate_file
    assert certificate is not None  # noqa: S101 - the caller looked
    try:
        # Always with a password, because OpenSSL asks the terminal for one that it misses.
        context.load_cert_chain(certificate, settings.key_file, lambda: password)
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            message = f"{key}.key_file: the key in {private} is not that of the certificate in {certificate}."
        else:
            message = (
                f"{key}.certificate_file: {certificate} holds no certificate in PEM, or {private} no private key in PEM"
                " that key_password opens."
            )
        raise InputError(INVALID_CONFIG, message) from None


def _named(settings: SubgraphTlsSettings) -> Iterator[tuple[str, Path]]:
    """The files that are named, each with the key that names it."""
    places: list[tuple[str, TlsSettings]] = [(_KEY, settings)]
    places += [(f"{_KEY}.subgraphs.{name}", one) for name, one in settings.subgraphs.items()]
    for key, one in places:
        for name in _FILES:
            path: Path | None = getattr(one, name)
            if path is not None:
                yield f"{key}.{name}", path


def _digest(key: str, path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(INVALID_CONFIG, f"{key}: {path}: {error.strerror}.") from None
