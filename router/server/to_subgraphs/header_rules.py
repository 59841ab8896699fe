"""The settings of headers made into rules for each subgraph, once: a router that only propagates has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.errors import InputError
from router.execution.traffic.headers import HeaderRules
from router.server.config import INVALID_CONFIG, HeaderSettings, RouterConfig
from router.server.config.headers import HeaderRuleSettings


def forwarded_names(settings: HeaderSettings) -> frozenset[bytes]:
    """The client's headers that some subgraph gets, under whatever name; in lower case."""
    return frozenset(name.encode() for level in _levels(settings) for name in (*level.propagate, *level.rename))


def claim_headers(config: RouterConfig) -> frozenset[bytes]:
    """The headers that tell claims of the token, in lower case: what a client says under these names is forged."""
    return frozenset(name.encode() for name in config.authentication.claims_to_headers.values())


def header_rules(settings: HeaderSettings, subgraphs: Iterable[str]) -> Mapping[str, HeaderRules]:
    """The rules for each of ``subgraphs``; none at all where headers are propagated, and to all the same."""
    if not (settings.rename or settings.remove or settings.set or settings.subgraphs):
        return {}
    client_names = forwarded_names(settings)
    own = settings.subgraphs
    general = _rules(client_names, settings, None)
    return {name: _rules(client_names, settings, own[name]) if name in own else general for name in subgraphs}


def check_claim_headers(config: RouterConfig) -> None:
    """Refuse settings by which a client could say what only its token may. InputError (INVALID_CONFIG)."""
    headers = tuple(config.authentication.claims_to_headers.values())
    taken = {name for level in _levels(config.headers) for name in _named(level)}
    for name in headers:
        if name in taken or headers.count(name) > 1:
            message = (
                f"authentication.claims_to_headers: the header '{name}' tells a claim of the token alone. Name it for "
                "no other claim, and in no propagate, rename or set of headers, for no subgraph."
            )
            raise InputError(INVALID_CONFIG, message)


def _levels(settings: HeaderSettings) -> tuple[HeaderRuleSettings, ...]:
    return settings, *settings.subgraphs.values()


def _named(level: HeaderRuleSettings) -> tuple[str, ...]:
    return *level.propagate, *level.rename, *level.rename.values(), *level.set


def _rules(client_names: frozenset[bytes], general: HeaderSettings, own: HeaderRuleSettings | None) -> HeaderRules:
    # By the name under which it is sent: the client's header it comes from. Each name has one source.
    sources: dict[str, str] = {}
    fixed: dict[str, str] = {}
    withheld: set[str] = set()
    for level in (general, own) if own is not None else (general,):
        _apply(level, sources, fixed, withheld)
    targets: dict[bytes, tuple[bytes, ...]] = dict.fromkeys(client_names, ())
    targets |= {name.encode(): () for name in (*withheld, *fixed, *sources)}
    for sent, client_name in sources.items():
        targets[client_name.encode()] += (sent.encode(),)
    return HeaderRules(targets, tuple((name.encode(), value.encode()) for name, value in fixed.items()))


def _apply(level: HeaderRuleSettings, sources: dict[str, str], fixed: dict[str, str], withheld: set[str]) -> None:
    """Lay the rules of one level over what the wider one left."""
    for name in level.propagate:
        sources[name] = name
        fixed.pop(name, None)
    for client_name in level.rename:
        if sources.get(client_name) == client_name:
            del sources[client_name]
    for client_name, sent in level.rename.items():
        sources[sent] = client_name
        fixed.pop(sent, None)
    for name in level.remove:
        sources.pop(name, None)
        fixed.pop(name, None)
        withheld.add(name)
    for name, value in level.set.items():
        sources.pop(name, None)
        fixed[name] = value
