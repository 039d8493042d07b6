"""What coding agents keep in the folders of their logs, beside what tells of use.

Whoever imports such a folder whole means its logs: these files are noted, not refused. They are
known by their place, but for prompts that look like the log of another agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Record
from data.sources.packing import MAYBE_PACKED

PLACED: Final = {
    "Cline": r"(api_conversation|context)_history\.json|task_metadata\.json|history_item\.json"
    r"|tasks/_index\.json",
    "opencode": r"storage/(part|project|session_diff|session_share|permission|todo)/.+\.json"
    r"|opencode/(auth|mcp-auth|account)\.json|opencode/log/[^/]+\.log",
    "Copilot CLI": r"\.copilot/[^/]+\.json|\.copilot/logs/[^/]+\.log"
    r"|session-state/[^/]+/session\.db",
}
PLACES: Final = {
    program: re.compile(rf"(?:^|/)(?:{paths}){MAYBE_PACKED}") for program, paths in PLACED.items()
}
GEMINI_PROMPT: Final = {"sessionId", "messageId", "type", "message", "timestamp"}
NOTE: Final = "{} keeps this beside its logs: nothing in it is counted"


def recognises(head: Head) -> bool:
    """By its place, or as the list of prompts (`logs.json`) that Gemini CLI keeps."""
    prompts = head.first.keys() == GEMINI_PROMPT and isinstance(head.first["message"], str)
    return prompts or _program(head.name) is not None


def _program(name: str) -> str | None:
    place = name.replace("\\", "/")
    return next((program for program, paths in PLACES.items() if paths.search(place)), None)


def read(file: File, _: Options) -> Iterator[Record]:
    yield file.name, Note(NOTE.format(_program(file.name) or "Gemini CLI"))


FORMAT = Format("agent_files", "Files beside the logs of coding agents", recognises, read)
