"""Refusals: requests that change nothing, and checks of what clients say."""

from __future__ import annotations

from dataclasses import dataclass

MAX_REASON_LENGTH = 500
MAX_KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable ``code``, a sentence, and the path of the input field, if it is about one."""

    code: str
    message: str
    field: str | None = None


class RefusalError(Exception):
    """A request that changes nothing, with every problem that was found in it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.code}: {problem.message}" for problem in problems))
        self.problems = problems


def check_reason(reason: str) -> str:
    """``reason`` trimmed; raises RefusalError(REASON_INVALID) where it is empty or too long."""
    trimmed = " ".join(reason.split())
    if not is_text(trimmed, MAX_REASON_LENGTH):
        message = f"The reason must be 1 to {MAX_REASON_LENGTH} printable characters."
        raise RefusalError(Problem("REASON_INVALID", message, "reason"))
    return trimmed


def find_key_problem(idempotency_key: str) -> Problem | None:
    """IDEMPOTENCY_KEY_INVALID where the key is empty, too long or not printable; None where all is well."""
    if is_text(idempotency_key, MAX_KEY_LENGTH):
        return None
    message = f"The key must be 1 to {MAX_KEY_LENGTH} printable characters, such as a UUID."
    return Problem("IDEMPOTENCY_KEY_INVALID", message, "idempotencyKey")


def order_not_found(field: str) -> RefusalError:
    """The refusal for an order that does not exist, or is someone else's: the two must look the same."""
    return RefusalError(Problem("NOT_FOUND", "There is no such order.", field))


def is_text(text: str, max_length: int) -> bool:
    """Whether ``text`` is 1 to ``max_length`` printable characters."""
    return 1 <= len(text) <= max_length and text.isprintable()
