"""Claude Code's session logs: `~/.claude/projects/<project>/<session>.jsonl` and its subagents'.

event_id      a call: `claude_code:` + requestId, else message.id, else the line's uuid; a failed
              one: `claude_code:error:` + the same; a tool: `claude_code:tool:` + its tool_use id;
              a session: `claude_code:session:` + sessionId. Claude Code's telemetry carries the
              same ids. A replayed side chain, a resumed or forked session and a file imported
              twice bring nothing new
call          the `assistant` lines of one id together: the last tells the tokens and the time.
              input_tokens EXCLUDE cache reads and writes; provider anthropic. Cost by our book,
              and duration null, but for old versions, whose lines tell costUSD and durationMs.
              Compactions (agent-acompact-*) are calls too
error         isApiErrorMessage, or a `<synthetic>` model that does not deny it: a failed call,
              no tokens, no model
tool          each tool_use block, its outcome from the tool_result (none: aborted);
              `mcp__server__tool` is an integration `server` of type mcp with that tool
session       one for each sitting (data/sources/sessions.py) of the main log, from its first
              line to its last; a subagent's log stands for a session whose own log is missing.
              Lines and files as the results of editing tools tell them (structuredPatch);
              subagents' edits are in their own files and not among them
context       conversation sessionId (a forked line: the one it was forked from), client
              `claude-code 2.1.38`, repository the folder the session began in, by its name;
              assistant a subagent's type (agent-*.meta.json). Version, agent, one-hour cache
              writes, fast mode and searches are in tags
stays null    user and project (--user, --project), a tool's duration unless told
not counted   `progress` lines (they repeat subagents' messages), synthetic lines that are no
              errors; tool results, indexes and metadata beside the logs
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from data.sources.claude_code.log import Log
from data.sources.entries import values
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Record
from data.sources.sessions import gathered

LINE: Final = {"type", "sessionId"}
NAMED: Final = re.compile(r"(?:agent-|[0-9a-f]{8}-[0-9a-f-]{27})[^/\\]*\.jsonl(\.gz)?$")
BESIDE: Final = re.compile(
    r"(^|/)(tool-results/[^/]+\.(txt|json)|agent-[^/]+\.meta\.json|sessions-index\.json)(\.gz)?$"
)


def recognises(head: Head) -> bool:
    """A line of a session, or one of those without a session that a log may begin with."""
    first = head.first
    if not first:  # a first line longer than the head: a prompt with a picture in it
        return NAMED.search(head.name) is not None and '"sessionId":' in head.text
    if first.get("type") in ("file-history-snapshot", "summary"):
        return first["type"] != "summary" or "leafUuid" in first
    return first.keys() >= LINE


def read(file: File, options: Options) -> Iterator[Record]:
    if _is_beside(file.name):  # a whole folder under --format
        return _read_beside(file, options)
    return gathered(values(file), Log(file).take, options)


def _beside(head: Head) -> bool:
    return _is_beside(head.name)


def _is_beside(name: str) -> bool:
    return BESIDE.search(name.replace("\\", "/")) is not None


def _read_beside(file: File, _: Options) -> Iterator[Record]:
    yield file.name, Note("Claude Code keeps this beside its logs: nothing in it is counted")


FORMATS = (
    Format("claude_code", "Claude Code session logs", recognises, read),
    Format("claude_code_beside", "Files beside Claude Code's logs", _beside, _read_beside),
)
