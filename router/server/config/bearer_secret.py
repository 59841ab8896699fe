"""A secret that whoever asks says in ``authorization: Bearer ...``, in place of a token."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError

from router.server.config.headers import UNSAFE_VALUE

LEAST_SECRET_LENGTH = 16


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < LEAST_SECRET_LENGTH:
        # The value is one all the same, which no message may tell.
        raise PydanticCustomError(UNSAFE_VALUE, f"a secret has at least {LEAST_SECRET_LENGTH} characters")
    return secret


BearerSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
