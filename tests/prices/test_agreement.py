"""Our book beside LiteLLM's: every disagreement is a known one. (`test_prices.py` holds it to
genai-prices exactly.)"""

from __future__ import annotations

from tests.prices.litellm_map import KNOWN, PRICES, disagreements, read


def test_no_new_disagreement_with_litellm() -> None:
    rows, known = read(PRICES), read(KNOWN)
    found = disagreements(rows)
    assert len(rows) > 500
    assert [row for row in found if row not in known] == [], "look it up, then renew the table"
    assert [row for row in known if row not in found] == [], "cured: renew the table"
