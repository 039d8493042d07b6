"""Settings → Prices: what other currencies are worth."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Button, Card, Column, Field, Form
from data.query.units import INSTANT

CARD: Final = Card(
    "exchange-rates", "exchange rate", "Exchange rates",
    "For bills in other currencies that tell no US dollars. A rate holds from its day on; what is"
    " stored already stays, and is completed where its file is imported again.",
    columns=(
        Column("currency", "Currency", 100), Column("start", "From", 112),
        Column("dollars", "US dollars for one"),
        Column("who", "By"), Column("at", "Stated", 170, unit=INSTANT),
    ),
    empty="There is none: amounts in other currencies are kept as they are, their cost unknown.",
    buttons=(
        Button(
            "exchange-rate-remove", "Remove", "remove", needs=bool,
            confirm=lambda row: f"Remove the rate of {row['currency']} from {row['start']}?"
                                " What was stored by it stays.",
        ),
    ),
    form=Form(
        fields=(
            Field("currency", "Currency", hint="EUR"), Field("from", "From", "date"),
            Field("dollars", "US dollars for one", "decimal", hint="1.16"),
        ),
        save="State rate", save_key="exchange-rate-save",
    ),
)  # fmt: skip
