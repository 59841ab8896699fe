"""Policies: plain async functions that say whether a requester may see what ``@policy`` names.

``async def may(policy: str, requester: Requester) -> bool``, named in router.yaml as ``module:function``. A policy that
is not named there, that raises, or that takes too long lets nobody through.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from router.errors import InputError
from router.server.access.caller import Requester
from router.server.config import INVALID_CONFIG, AuthorizationSettings
from router.server.import_failure import import_failure

logger = logging.getLogger("galleria.router")

Policy = Callable[[str, Requester], Awaitable[bool]]
ANY_OTHER = "*"


class Policies:
    """The policies of the settings. Raises InputError (INVALID_CONFIG) for a function that cannot be had."""

    def __init__(self, settings: AuthorizationSettings) -> None:
        self._policies = {name: _load(name, place) for name, place in settings.policies.items()}
        self._timeout_s = settings.policy_timeout_s

    async def granted(self, names: Iterable[str], requester: Requester) -> frozenset[str]:
        """Those of ``names`` that let ``requester`` through; each is asked once, all at the same time."""
        asked = sorted(names)
        answers = await asyncio.gather(*(self._ask(name, requester) for name in asked))
        return frozenset(name for name, is_granted in zip(asked, answers, strict=True) if is_granted)

    async def _ask(self, name: str, requester: Requester) -> bool:
        policy = self._policies.get(name) or self._policies.get(ANY_OTHER)
        if policy is None:
            return False
        try:
            async with asyncio.timeout(self._timeout_s):
                return await policy(name, requester) is True
        except TimeoutError:
            logger.error("policy '%s' lets nobody through: it took longer than %g s", name, self._timeout_s)
        except Exception:  # whatever is wrong with it, it did not say yes
            logger.exception("policy '%s' lets nobody through: it failed", name)
        return False


def _load(name: str, place: str) -> Policy:
    module_name, _, function_name = place.partition(":")
    try:
        function = _attributes(importlib.import_module(module_name)).get(function_name)
    except Exception as error:  # noqa: BLE001 - a module may raise anything while it is imported
        reason = import_failure(module_name, error)
        raise InputError(INVALID_CONFIG, f"authorization.policies.{name}: {place} cannot be loaded: {reason}") from None
    if not inspect.iscoroutinefunction(function):
        raise InputError(INVALID_CONFIG, f"authorization.policies.{name}: there is no async function {place}")
    return function


def _attributes(module: object) -> Mapping[str, object]:
    return vars(module)
