"""Why a call has no price, in the words that are kept with it."""

from __future__ import annotations

from typing import Final

NO_MODEL: Final = "no model"
NO_TOKENS: Final = "no token counts"
NO_PROVIDER: Final = "no provider"
UNKNOWN_MODEL: Final = "unknown model"
NOT_BY_TOKEN: Final = "not sold by the token"  # noqa: S105  # no secret: tokens of a model
TOO_LARGE: Final = "more than a cost can be"
LEFT_OPEN: Final = "left open by its source"
NO_RATE: Final = "no rate for "
OF_THE_BOOK: Final = (NO_MODEL, NO_TOKENS, NO_PROVIDER, UNKNOWN_MODEL, NOT_BY_TOKEN, TOO_LARGE)


def no_rate(what: str) -> str:
    """The reason where everything has a rate but this."""
    return f"{NO_RATE}{what}"


def of_the_book(reason: str | None) -> bool:
    """Whether the price book said so: it may say something else tomorrow."""
    return reason is None or reason in OF_THE_BOOK or reason.startswith(NO_RATE)
