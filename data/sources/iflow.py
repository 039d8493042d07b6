"""iFlow's session logs: `~/.iflow/projects/<project>/session-<uuid>.jsonl`.

Its lines are shaped like Claude Code's and are none: the program is made from Gemini CLI, calls
other vendors' models, and says little of them.

event_id      `iflow:` + sessionId + the message's id, else the line's uuid; the last line of an id
              counts
call          each `assistant` line. Its usage has input_tokens and output_tokens alone; where both
              are 0 nothing was told: the call counts, without tokens
cost          by our book; provider null, as the model's name is all that is said
context       conversation sessionId, client iflow with its version, repository the folder that the
              user's lines name
stays null    user and project (--user, --project), cache reads and writes, durations
not counted   users' lines, tools and their results, which hold prompts and contents
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.sources.entries import line_values
from data.sources.fields import count, folder_name, part, program, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record
from data.sources.sessions import END, log_records, session_call

Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return is_line(head.first)


def is_line(row: Row) -> bool:
    """Whether a line like Claude Code's is of iFlow, whose sessions are called `session-…`."""
    return str(row.get("sessionId")).startswith("session-") and "message" in row


def read(file: File, options: Options) -> Iterator[Record]:
    return log_records(line_values(file), Log().read_line, options)


@dataclass(slots=True)
class Log:
    """The state of reading one log; `read_line` is given each line, then `END`."""

    repository: str | None = None
    version: Any = None
    calls: dict[str, Record] = field(default_factory=dict)

    def read_line(self, where: str, line: Row) -> Iterator[Record]:
        """Nothing until the end, as an earlier line may be written again; then the calls."""
        if line is END:
            yield from self.calls.values()
            return
        self.repository = self.repository or folder_name(line.get("cwd"))
        self.version = self.version or line.get("version")
        if line.get("type") == "assistant":
            call = self._call(line, part(line, "message"))
            self.calls[call["event_id"]] = (where, call)

    def _call(self, line: Row, message: Row) -> Raw:
        own = text(message.get("id")) or text(line.get("uuid"))
        return {
            **session_call("iflow", line, own, message.get("model")),
            "client": program("iflow", self.version),
            "repository": self.repository,
            **_tokens(part(message, "usage")),
        }


def _tokens(usage: Row) -> Raw:
    counts = {name: count(name, usage.get(name)) for name in ("input_tokens", "output_tokens")}
    return counts if any(counts.values()) else {}


FORMAT = Format("iflow", "iFlow's session logs", recognises, read, places=("~/.iflow/projects",))
