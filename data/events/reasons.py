"""Why a call has no price, in the words that are kept with it."""

from __future__ import annotations

from typing import Final

from data.events.table import TIERS

NO_MODEL: Final = "no model"
NO_TOKENS: Final = "no token counts"
NO_PROVIDER: Final = "no provider"
UNKNOWN_MODEL: Final = "unknown model"
NOT_BY_TOKEN: Final = "not sold by the token"  # noqa: S105  # no secret: tokens of a model
TOO_LARGE: Final = "more than a cost can be"
LEFT_OPEN: Final = "left open by its source"
NO_RATE: Final = "no rate for "
# By the field of `data/prices/rates.py`: what nothing stands for where it has no rate of its own.
LACKING: Final = {
    "cache_write_1h": "one-hour cache writes", "web_searches": "web searches",
    "input_audio": "audio input", "output_audio": "audio output", "output_image": "image output",
}  # fmt: skip


def no_rate(what: str) -> str:
    """The reason where everything has a rate but this."""
    return f"{NO_RATE}{what}"


OF_THE_BOOK: Final = (
    *(NO_MODEL, NO_TOKENS, NO_PROVIDER, UNKNOWN_MODEL, NOT_BY_TOKEN, TOO_LARGE),
    *map(no_rate, (*TIERS, *LACKING.values())),
)


def of_the_book(reason: str | None) -> bool:
    """Whether the price book said so: it may say something else tomorrow."""
    return reason is None or reason in OF_THE_BOOK


def never_priced(reason: str | None) -> bool:
    """Whether the source told of a tier or place that no book of ours can know a rate for."""
    return reason is not None and reason.startswith(NO_RATE) and reason not in OF_THE_BOOK
