"""Absence is worth something only beside presence: an answer that broke holds no secret either.

Every test that looks for what must not be there first has the answer whole, and the reader's own
rows in it, by these functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from werkzeug.test import TestResponse


def whole(answer: TestResponse, own: Iterable[str] = ()) -> str:
    """The text of an answer that worked and holds all of the reader's own."""
    assert answer.status_code == 200, answer.text
    missing = [one for one in own if one not in answer.text]
    assert not missing, (missing, answer.text[:300])
    return answer.text


def some(answer: TestResponse, own: Collection[str]) -> str:
    """The same, where a chart may gather all but a few of the reader's own as others."""
    text = whole(answer)
    assert not own or any(one in text for one in own), (own, text[:300])
    return text


def drawn(answer: TestResponse, own: Collection[str]) -> str:
    """A card of the page that is ready and shows the reader's own; empty where they have none."""
    assert card_states(answer) == {"ready" if own else "empty"}, answer.text[:300]
    return some(answer, own)


def card_states(answer: TestResponse) -> set[str]:
    """What the cards that a callback writes say of themselves."""
    assert answer.status_code == 200, answer.text
    written: dict[str, dict[str, Any]] = (answer.json or {})["response"]
    answers = [values["answer"] for values in written.values() if "answer" in values]
    return {answer["state"] for answer in answers}
