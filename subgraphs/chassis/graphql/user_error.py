"""``UserError``: how a mutation refuses, as data beside the object."""

from __future__ import annotations

from typing import Protocol

import strawberry


class Refusal(Protocol):
    """What the domain's own error has: a stable code, a sentence, and the input's field where it is about one."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def message(self) -> str: ...  # noqa: D102

    @property
    def field(self) -> str | None: ...  # noqa: D102


@strawberry.federation.type(
    shareable=True, description="Why a mutation was refused; nothing was changed. The code is stable."
)
class UserError:
    """Why a mutation was refused."""

    code: str = strawberry.field(description="Stable, for machines.")
    field: str | None = strawberry.field(
        description="The path of the input field that is wrong, such as `price.amount`."
    )
    message: str = strawberry.field(description="One sentence for people.")


def user_error(refusal: Refusal) -> UserError:
    """The GraphQL form of a domain error."""
    return UserError(code=refusal.code, field=refusal.field, message=refusal.message)
