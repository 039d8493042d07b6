"""Codex's session logs: `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`.

event_id      a call: `codex:call:` + digest of thread and counts, and which of those that agree
              in them it is (`ids.py`): what telemetry tells, too. A failed turn:
              `codex:error:` + turn_id; a tool: `codex:tool:` + thread + call_id; a session:
              `codex:session:` + thread
call          a `token_usage_record` (its `usage`), or the `token_count` event of a version without
              them (its last_token_usage). Both tell the same call: the running total, which both
              carry, shows it, and shows a count that is only repeated. Never the totals
              themselves, which run on when a session is resumed.
              input_tokens INCLUDE cached and cache-write tokens, which are taken off;
              output_tokens INCLUDE reasoning. Cost by our book
error         a turn that ends with an error, or an `error` event: one failed call, no tokens
tool          function, custom, shell and search calls by name, their kind as tool_type; outcome
              and duration from the events of the program that ran (no outcome: aborted).
              `mcp__server__tool` is an integration
session       one for each sitting (data/sources/sessions.py) of a thread that no other started
context       conversation the session, client `codex-cli 0.169.0`, assistant the originator,
              provider model_provider, model of the turn; repository by git's address, else the
              folder's name
stays null    user and project (--user, --project), duration of a call
not counted   twice: what telemetry told, whichever came first (it alone knows user and project).
              Forks of versions without records repeat calls under a thread of their own. Refused
              attempts are told by telemetry alone, the turn that fails by the file alone
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from data.sources.codex.log import Rollout
from data.sources.entries import values
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Record
from data.sources.sessions import gathered

OLD: Final = {"id", "timestamp", "instructions"}


def recognises(head: Head) -> bool:
    first = head.first
    if not first:  # a first line longer than the head: instructions are part of it
        return "rollout-" in head.name and '"session_meta"' in head.text
    return "payload" in first and first.get("type") == "session_meta"


def read(file: File, options: Options) -> Iterator[Record]:
    return gathered(values(file), Rollout(file).take, options)


def _old(head: Head) -> bool:
    return "rollout-" in head.name and head.first.keys() >= OLD


def _read_old(file: File, _: Options) -> Iterator[Record]:
    yield file.name, Note("logs of Codex from before it counted tokens: nothing to count")


FORMATS = (
    Format("codex", "Codex session logs", recognises, read),
    Format("codex_old", "Codex session logs without token counts", _old, _read_old),
)
