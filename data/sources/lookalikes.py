"""Files that people take for usage and that hold none, or hold it only beside what we read: each is
told what it is, and what to bring instead.

They are asked before the formats, so a test here is narrow: it names what the program writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from data.sources.format import Head

ZIP: Final = b"PK\x03\x04"
PDF: Final = b"%PDF-"
PAGE: Final = re.compile(r"\s*<(?:!doctype html|html|\?xml)", re.IGNORECASE)
# Common and combined log format: an address, two names, a time in brackets, a request in quotes.
ACCESS: Final = re.compile(r'\S+ \S+ \S+ \[\d\d/\w{3}/\d{4}:[^\]]+\] "')
SUMS: Final = ("daily", "weekly", "monthly", "session", "sessions", "blocks")


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Something that is no usage: how its files look, and the sentence they are refused with."""

    matches: Callable[[Head], bool]
    refusal: str


LOOKALIKES: Final = (
    Lookalike(
        lambda head: head.start.startswith(ZIP),
        "this is a workbook or an archive: save its sheet as CSV, or unpack it",
    ),
    Lookalike(
        lambda head: head.start.startswith(PDF) or PAGE.match(head.text) is not None,
        "this is a page to look at, no data: download the export as CSV or JSON",
    ),
    Lookalike(
        lambda head: head.first.keys() >= {"mapping", "create_time"},
        "this is an export of ChatGPT conversations, which tells no tokens and no money:"
        " nothing of it can be counted",
    ),
    Lookalike(
        lambda head: head.first.keys() >= {"chat_messages", "uuid"},
        "this is an export of Claude conversations, which tells no tokens and no money:"
        " nothing of it can be counted",
    ),
    Lookalike(
        lambda head: ACCESS.match(head.text) is not None,
        "this is a web server's access log, which tells nothing of models: import the gateway's"
        " own usage log",
    ),
    Lookalike(
        lambda head: head.first.keys() >= {"custom_id", "method", "url", "body"},
        "these are the requests of a batch: import its output file, which tells what was used",
    ),
    Lookalike(
        lambda head: head.first.get("object") == "batch" and "request_counts" in head.first,
        "this says how a batch stands, with the sum of its tokens: import its output file, which"
        " tells each answer",
    ),
    Lookalike(
        lambda head: head.first.get("type") == "thread.started" and "thread_id" in head.first,
        "this is what codex exec --json prints, sums of turns without model and time: import the"
        " session logs of the same runs, with spendscope import --here",
    ),
    Lookalike(
        lambda head: "response" in head.first and "models" in (head.first.get("stats") or ()),
        "this is what gemini -p prints, sums without a time: import the session logs of the same"
        " runs, with spendscope import --here",
    ),
    Lookalike(
        lambda head: "totals" in head.first and any(name in head.first for name in SUMS),
        "these are sums that ccusage made of session logs: import the logs themselves, with"
        " spendscope import --here",
    ),
    Lookalike(
        lambda head: head.first.keys() in ({"error"}, {"detail"}),
        "this is the answer of a request that failed, no data: ask for it again",
    ),
)


def refusal(head: Head) -> str:
    """What a file is that is no usage, as a sentence; "" where it is none of these."""
    return next((one.refusal for one in LOOKALIKES if one.matches(head)), "")
