"""Gemini CLI's sessions: `~/.gemini/tmp/<project>/chats/session-*.json` and, since 0.30, `.jsonl`.
Qwen Code's logs (`~/.qwen/projects/<project>/chats/*.jsonl`), a program made from it, are lines of
another shape with the same counts.

event_id      `gemini_cli:` (`qwen_code:`) + session + the message's id. A message that was
              written again counts once, as it was written last
call          each message of the model that tells its tokens. Gemini's `input` (promptTokenCount)
              INCLUDES cached ones, which are taken off; `output` (candidatesTokenCount) EXCLUDES
              thoughts, which are billed as output: where the total says otherwise, the total is
              right. `tool` (prompts of tools' results) is part of the input where the total is
              the sum without it
cost          by our book; provider google, for Qwen's logs what the model's name says
context       conversation the session, client gemini-cli, qwen-code with its version, repository
              the folder that Qwen's lines name
stays null    user and project (--user, --project), durations
not counted   users' messages, tools and their results, which hold prompts and contents
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import documents, line_values
from data.sources.fields import count, folder_name, part, program, prompt_counts, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Options, Raw, Record, records
from data.sources.sessions import session_call

Row = Mapping[str, Any]
# As each of the two programs calls them.
NAMES: Final = ("prompt", "cached", "output", "thoughts", "tool", "total")
GEMINI: Final = ("input", "cached", "output", "thoughts", "tool", "total")
USAGE_METADATA: Final = (
    "promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount",
    "toolUsePromptTokenCount", "totalTokenCount",
)  # fmt: skip
SESSION: Final = ('"sessionId"', '"projectHash"')


def _gemini(head: Head) -> bool:
    first = head.first
    if first:
        return first.keys() >= {"sessionId", "projectHash"}
    return all(name in head.text[:4_096] for name in SESSION)  # longer than what is looked at


def _qwen(head: Head) -> bool:
    message = part(head.first, "message")
    return "sessionId" in head.first and "parts" in message and "cwd" in head.first


def _read_gemini(file: File, options: Options) -> Iterator[Record]:
    return records(_latest(_messages(file)), _gemini_call, options)


def _messages(file: File) -> Iterator[Entry]:
    """The messages of a session with its id: those of one document, or lines after its head."""
    session: str | None = None
    for where, value in documents(file):
        if not isinstance(value, dict):
            yield where, value
            continue
        session_id = value.get("sessionId")
        session = session_id if isinstance(session_id, str) else session
        several = value.get("messages")
        for number, message in enumerate(several if isinstance(several, list) else [value]):
            place = f"{where}:{number}" if isinstance(several, list) else where
            yield place, _with_session(message, session)


def _with_session(message: Any, session: str | None) -> Any:
    return {"sessionId": session} | dict(message) if isinstance(message, dict) else message


def _latest(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Each message once, as it was written last; what tells no tokens is passed over."""
    latest: dict[str, Entry] = {}
    for where, value in entries:
        if isinstance(value, EventError):
            yield where, value
        elif isinstance(value, dict) and isinstance(value.get("tokens"), Mapping):
            latest[str(value.get("id"))] = (where, value)
    yield from latest.values()


def _gemini_call(_: str, row: Row) -> Iterator[Raw]:
    yield {
        **session_call("gemini_cli", row, text(row.get("id")), row.get("model")),
        "client": "gemini-cli",
        "provider": "google",
        **used_tokens(part(row, "tokens"), GEMINI),
    }


def _read_qwen(file: File, options: Options) -> Iterator[Record]:
    return records(line_values(file), _qwen_call, options)


def _qwen_call(_: str, row: Row) -> Iterator[Raw]:
    usage = row.get("usageMetadata")
    if row.get("type") != "assistant" or not isinstance(usage, dict):
        return
    yield {
        **session_call("qwen_code", row, text(row.get("uuid")), row.get("model")),
        "client": program("qwen-code", row.get("version")),
        "repository": folder_name(row.get("cwd")),
        **used_tokens(usage, USAGE_METADATA),
    }


def used_tokens(usage: Row, names: tuple[str, ...]) -> Raw:
    """The disjoint counts; the total decides whether thoughts and tools stand beside the rest."""
    counts = {ours: count(name, usage.get(name)) for ours, name in zip(NAMES, names, strict=True)}
    prompt, output, thoughts = counts["prompt"], counts["output"], counts["thoughts"]
    disjoint_sum = (prompt or 0) + (output or 0) + (thoughts or 0)
    if counts["tool"] and counts["total"] == disjoint_sum + counts["tool"]:
        prompt = (prompt or 0) + counts["tool"]
    if thoughts and counts["total"] != disjoint_sum - thoughts:
        output = (output or 0) + thoughts
    return {
        **prompt_counts("the prompt's tokens", prompt, counts["cached"]),
        "output_tokens": output,
        "reasoning_tokens": thoughts or None,
        **_modalities(usage),
    }


def _modalities(usage: Row) -> Raw:
    """Audio and answered images, billed at prices of their own; images in prompts are not."""
    prompt, cached, output = (
        _by_modality(usage.get(name))
        for name in ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails")
    )
    found = {
        "input_audio_tokens": max(0, prompt.get("AUDIO", 0) - cached.get("AUDIO", 0)),
        "output_audio_tokens": output.get("AUDIO"),
        "output_image_tokens": output.get("IMAGE"),
    }
    return {name: number for name, number in found.items() if number}


def _by_modality(details: Any) -> dict[str, int]:
    each = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return {
        str(one.get("modality")): count(name, one[name]) or 0
        for one in each
        for name in ("tokenCount", "token_count")
        if name in one
    }


FORMATS = (
    Format("gemini_cli", "Gemini CLI's sessions", _gemini, _read_gemini, places=("~/.gemini/tmp",)),
    Format(
        "qwen_code", "Qwen Code's session logs", _qwen, _read_qwen, places=("~/.qwen/projects",)
    ),
)
