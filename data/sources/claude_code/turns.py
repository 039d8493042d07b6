"""Which call a line belongs to, where no request id says so.

An answer is written in several lines of one message id; a relay may give its every answer the same
one. Such lines are one call as long as nobody asked anything new between them and their prompt is
of one size: each call of a turn sends what the one before it brought. Copies keep the times of
their lines, so the time of a call's first line is a part of its id.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final, NamedTuple

from data.events.table import micros
from data.sources.claude_code.calls import Chain, Line, call_id, chain_of, prompt_size
from data.sources.fields import text

MOST_ANSWERS: Final = 10_000


class Answer(NamedTuple):
    """The call of a message id that was written last."""

    key: str
    chain: Chain
    turn: int
    prompt: int


class Turns:
    """The prompts and the answers of one file, line by line."""

    def __init__(self) -> None:
        self._prompts: Counter[Chain] = Counter()
        self._answers: dict[str, Answer] = {}

    def prompted(self, line: Line) -> None:
        """Somebody asked something new in the line's chain."""
        self._prompts[chain_of(line)] += 1

    def key(self, line: Line, message: Line, moment: datetime) -> str:
        """The id of the call that an answer's line is of."""
        name = text(message.get("id"))
        if name is None or text(line.get("requestId")):
            return call_id(line, message)
        found = self._answer(name, line, message.get("usage"), moment)
        self._answers.pop(name, None)
        self._answers[name] = found
        if len(self._answers) > MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        return found.key

    def _answer(self, name: str, line: Line, usage: Any, moment: datetime) -> Answer:
        chain, size = chain_of(line), prompt_size(usage if isinstance(usage, dict) else {})
        now = Answer(f"claude_code:{name}:{micros(moment)}", chain, self._prompts[chain], size)
        before = self._answers.get(name)
        if before is None or (before.chain, before.turn) != (now.chain, now.turn):
            return now
        if size and before.prompt and size != before.prompt:
            return now
        return before._replace(prompt=size or before.prompt)
