"""Where the lines of a Claude Code log belong: session, repository, program, subagent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from data.sources.fields import program, text
from data.sources.files import File
from data.sources.format import Raw

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SEPARATOR: Final = re.compile(r"[/\\]")
Line = Mapping[str, Any]


class Context:
    """Where the lines of a file belong: its session, repository, program."""

    def __init__(self, file: File) -> None:
        self.path = file.path or Path(file.name)
        self.folders = {folder.name for folder in self.path.parents}
        named = UUID.fullmatch(self.path.name.split(".")[0])
        self.id: str | None = named[0] if named else None
        self.repository: str | None = None
        self.version: str | None = None
        self.type = _agent_type(file)

    def meet(self, line: Line) -> None:
        """Learn from a line what earlier ones have not told."""
        for name, told in (("sessionId", "id"), ("version", "version")):
            found = line.get(name)
            if getattr(self, told) is None and isinstance(found, str):
                setattr(self, told, found)
        cwd = line.get("cwd")
        if self.repository is None and isinstance(cwd, str):
            self.repository = repository(cwd, self.folders)

    def own(self, line: Line) -> bool:
        """Whether a line is this session's: not copied from the one it was forked from."""
        return line.get("sessionId") == self.id and not line.get("forkedFrom")

    def of(self, line: Line) -> Raw:
        fork = line.get("forkedFrom")
        origin = fork.get("sessionId") if isinstance(fork, Mapping) else None
        return {
            "channel": "cli",
            "source": "claude_code",
            "client": program("claude-code", line.get("version") or self.version),
            "conversation_id": text(origin or line.get("sessionId")),
            "repository": self.repository,
            "assistant": self.type if line.get("isSidechain") else None,
        }

    def session(self) -> Raw:
        return self.of({"sessionId": self.id}) | {"tags": kept(version=self.version)}

    def orphan(self) -> bool:
        """Whether this is a subagent's file whose session's own log is not beside it."""
        folders = [self.path.parent, *self.path.parents[2:3]]
        return self.path.is_file() and not any(
            (folder / f"{self.id}.jsonl{end}").exists() for folder in folders for end in ("", ".gz")
        )


def repository(cwd: str, folders: set[str]) -> str | None:
    """The folder a session began in, by its name: the log's folder spells its whole path."""
    path = cwd.rstrip("/\\")
    while path:
        if re.sub(r"[^A-Za-z0-9]", "-", path) in folders:
            return SEPARATOR.split(path)[-1] or None
        path = path[: max(path.rfind("/"), path.rfind("\\"), 0)]
    return SEPARATOR.split(cwd.rstrip("/\\"))[-1] or None


def _agent_type(file: File) -> str | None:
    """What kind of subagent wrote this file, where Claude Code says so beside it."""
    if file.path is None or not file.path.name.startswith("agent-"):
        return None
    beside = file.path.with_name(file.path.name.split(".")[0] + ".meta.json")
    try:
        told = orjson.loads(beside.read_bytes())
    except (OSError, ValueError):
        return None
    kind = told.get("agentType") if isinstance(told, Mapping) else None
    return kind if isinstance(kind, str) else None


def tags(line: Line, **more: Any) -> str | None:
    return kept(version=text(line.get("version")), agent=text(line.get("agentId")), **more)


def kept(**named: Any) -> str | None:
    """Tags as JSON, what is unknown left out."""
    found = {name: value for name, value in named.items() if value is not None}
    return orjson.dumps(found).decode() if found else None
