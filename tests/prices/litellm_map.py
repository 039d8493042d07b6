"""LiteLLM's price map beside our book: what it quotes, and where the two disagree.

`python -m tests.prices.litellm_map model_prices_and_context_window_backup.json` writes both files
anew: the part of LiteLLM's map that our book knows too (`litellm_prices.csv`, US dollars per
million tokens), and the known disagreements (`disagreements.csv`). Long prompts are not compared:
the map names their thresholds in the names of its fields.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from data.events.table import FIELDS
from data.prices.book import PUBLIC

HERE: Final = Path(__file__).resolve().parent
PRICES: Final = HERE / "litellm_prices.csv"
KNOWN: Final = HERE / "disagreements.csv"
NOON: Final = 1_795_953_600_000_000  # 2026-11-29T12:00:00Z
MOST: Final = Decimal("0.001")
SELLERS: Final = {
    "anthropic": "anthropic", "openai": "openai", "gemini": "google", "vertex_ai": "google",
    "vertex_ai-language-models": "google", "vertex_ai-anthropic_models": "google", "azure": "azure",
    "bedrock": "aws", "bedrock_converse": "aws", "xai": "x-ai", "mistral": "mistral",
    "groq": "groq", "deepseek": "deepseek", "cohere": "cohere", "moonshot": "moonshotai",
    "zai": "zai", "openrouter": "openrouter", "perplexity": "perplexity", "cerebras": "cerebras",
    "together_ai": "together", "fireworks_ai": "fireworks", "minimax": "minimax",
}  # fmt: skip
UNITS: Final = {
    "input_tokens": "input_cost_per_token", "output_tokens": "output_cost_per_token",
    "cached_input_tokens": "cache_read_input_token_cost",
    "cache_write_tokens": "cache_creation_input_token_cost",
    "cache_write_1h_tokens": "cache_creation_input_token_cost_above_1hr",
}  # fmt: skip
TIERS: Final = {"standard": "", "batch": "_batches", "flex": "_flex", "priority": "_priority"}
Row = dict[str, str]


def quoted(path: Path) -> Iterator[Row]:
    """The rows of the map that our book knows too: of a tier whose input and output it quotes."""
    for name, one in json.loads(path.read_text()).items():
        seller = SELLERS.get(str(one.get("litellm_provider")))
        model = (
            name.split("/", 1)[-1] if seller != "openrouter" else name.removeprefix("openrouter/")
        )
        if seller is None or PUBLIC.steps(seller, model, NOON) is None:
            continue
        for tier, suffix in TIERS.items():
            rates = {unit: one.get(f"{key}{suffix}") for unit, key in UNITS.items()}
            if rates["input_tokens"] is not None and rates["output_tokens"] is not None:
                yield {"provider": seller, "model": model, "tier": tier} | {
                    unit: "" if rate is None else _per_million(rate) for unit, rate in rates.items()
                }


def _per_million(rate: float) -> str:
    return f"{(Decimal(str(rate)) * 10**6).normalize():f}"


def disagreements(rows: list[Row]) -> list[Row]:
    """Where a random call of what the map quotes costs more than 0.1 % more or less by our book,
    and by how much: nothing where we have no price."""
    return [found for row in rows if (found := _disagreement(row))]


def _disagreement(row: Row) -> Row | None:
    draw = random.Random(f"{row['provider']}/{row['model']}")
    counts = {unit: draw.randrange(1_000, 9_000) for unit in UNITS if row[unit]}
    theirs = sum((Decimal(row[unit]) * 1_000 * count for unit, count in counts.items()), Decimal(0))
    call: dict[str, Any] = dict.fromkeys(FIELDS) | counts
    call |= {"provider": row["provider"], "model": row["model"], "ts": NOON, "kind": "llm"}
    hour = counts.get("cache_write_1h_tokens", 0)
    call["cache_write_tokens"] = counts.get("cache_write_tokens", 0) + hour
    ours, reason = PUBLIC.price_of(call | {"service_tier": row["tier"]})
    named = {name: row[name] for name in ("provider", "model", "tier")}
    if ours is None:
        return None if row["tier"] != "standard" else named | {"ours": str(reason)}
    if abs(ours - theirs) <= theirs * MOST:
        return None
    return named | {"ours": f"{ours / theirs:.3f} of it" if theirs else f"{ours} for nothing"}


def read(path: Path) -> list[Row]:
    """The rows of a committed table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[Row]) -> None:
    """A table, sorted."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: list(row.values())))


if __name__ == "__main__":
    found = {tuple(row.values()): row for row in quoted(Path(sys.argv[1]))}
    write(PRICES, list(found.values()))
    write(KNOWN, disagreements(read(PRICES)))
