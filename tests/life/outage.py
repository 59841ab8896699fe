"""Something that the services need and do not own: it may be gone, or do its work and lose the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from subgraphs.payments.provider import ProviderUnavailableError
from subgraphs.shipping.carrier import CarrierUnavailableError


@dataclass(slots=True)
class Outage:
    """How a provider fails, if it does: ``gone`` until it is back, ``mute`` for that many answers."""

    error: type[Exception]
    gone: bool = False
    mute: int = 0

    @classmethod
    def of_bank(cls) -> Self:
        """The payment provider's."""
        return cls(ProviderUnavailableError)

    @classmethod
    def of_carrier(cls) -> Self:
        """The carrier's."""
        return cls(CarrierUnavailableError)

    def end(self) -> None:
        """Everything works again."""
        self.gone, self.mute = False, 0

    def before_call(self) -> None:
        """Fail where it is gone."""
        if self.gone:
            raise self.error("it cannot be reached")

    def after_call(self) -> None:
        """Fail where the answer is lost."""
        if self.mute:
            self.mute -= 1
            raise self.error("it gave no answer")
