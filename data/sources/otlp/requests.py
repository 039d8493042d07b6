"""OpenTelemetry: OTLP requests of traces, logs and metrics, as Protobuf and as JSON.

A file is one request, as it was posted, or JSON with one request a line (the collector's file
exporter), pretty-printed or in a list.

Spans (current and older GenAI conventions, OpenLLMetry, OpenInference; spellings: `names.py`)
event_id   `otel:<trace id>:<span id>`; a litellm_request has the id of its row in the spend
           log (`litellm/spend_logs.py`), and is read as that row: the same call is one event
kind       chat, text_completion, generate_content, embeddings and other operations with a model:
           llm · execute_tool: tool · invoke_agent: message, without tokens (an agent repeats its
           calls; where it has none, that is noted) · invoke_workflow, traceloop's workflow, and a
           span called `workflow NAME` with GenAI below it: workflow, its run_id the span's id · a
           tool through MCP, and retrieval: integration
user, conversation_id  the span's own, else the resource's, else the nearest span's above it in
           the same resource; enduser.id before user.id
assistant, workflow  the span's own, else the nearest span's above it. What stands above may come
           in a later request or line (`recent.py`): it completes what was stored
project    team.id (as LiteLLM's teams), else service.namespace; client is service.name
channel    platform: the organisation's own programs. LiteLLM: api
tokens     input_tokens INCLUDE cache reads and writes by the conventions, which are taken off, and
           output_tokens reasoning. Who counts otherwise shows it (`usage.py`): by the total, by
           parts that are more than the whole, or by a spelling. JSON in attributes is read
           (`unfolding.py`); `none` and `unknown` are nothing
cost       what the emitter says; 0 beside tokens is what those say who know no price, so it is
           left to our book. LiteLLM: as in `spend_logs.py`, and 0 for a hit in the gateway's cache
not counted  raw_gen_ai_request (the double of litellm_request); the outer of two spans of one
           call; spans of coding assistants, whose log events
           tell the same; the creation of an agent; the other side of an MCP call; polling for
           a call's result; prompt templates, chains and parsers. What of it is about a model is
           noted, with or without tokens

Log events of command-line assistants, under the ids and names of their session files (channel
cli, source the assistant; user is enduser.id, user.email, an account id, or the hash user.id)
claude_code.api_request   `claude_code:<request_id>`; input EXCLUDES cache reads and writes
claude_code.api_error     `claude_code:error:<request_id>`; error_class is the HTTP status
claude_code.tool_result   `claude_code:tool:<tool_use_id>`, integration where it went through MCP
codex.sse_event           the one response.completed that has counts (input INCLUDES cached), under
           the id of the session's file (`codex/calls.py`: thread, counts, and of calls that agree
           in them which one of its request; in two requests those are one). Failed:
           `codex:otel:` + digest of conversation, time and counts
codex.api_request         only refused ones, as failed calls · codex.tool_result likewise
codex.conversation_starts `codex:session:<conversation.id>`: a session, resumed or not
gemini_cli.api_response, api_error, tool_call, config: likewise, by its documentation; digests

Metrics    not counted, `logs.py` says why; claude_code.session.count gives its session
Doubles    a program's span and the gateway's it asked are two accounts of one call: take one
Stays null cost, user, project and cached tokens where nobody tells them; lines of code; repository
Content    prompts, answers, arguments and error messages are never kept
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from data.errors import EventError
from data.sources.codex.calls import Numbers
from data.sources.files import File
from data.sources.format import Format, Note, Options, Raw, Record, describe_error, with_owner
from data.sources.otlp import json as otlp_json
from data.sources.otlp.files import recognises, requests
from data.sources.otlp.items import SIGNALS, Found, Log, Point, Span
from data.sources.otlp.logs import log_events, point_events
from data.sources.otlp.protobuf import numbered, parsed, scan, too_many
from data.sources.otlp.recent import Recent, completed, lighten
from data.sources.otlp.spans import span_events
from data.sources.otlp.tree import Key, Tree
from data.sources.otlp.unfolding import unfold

__all__ = ["FORMAT", "SIGNALS", "items", "records", "request_records"]

EARLIER: Final = "an earlier span"
ANY: Final = 10**12  # more than a body can hold


def request_records(signal: str, body: bytes, *, json: bool, options: Options) -> Iterator[Record]:
    """Records of one export request, unpacked; `EventError` at once if the body is none."""
    return records(items(signal, body, json=json), options)


def items(signal: str, body: bytes, *, json: bool, most: int = ANY) -> list[Found]:
    """The spans, log records or data points of a request; `EventError` if the body is none,
    `TooLarge` as soon as one more than `most` is seen."""
    if not json:
        scan(signal, body, most)
        return [*numbered(signal, parsed(signal, body))]
    found = list(islice(otlp_json.found(signal, otlp_json.loaded(body)), most + 1))
    if len(found) > most:
        raise too_many(signal, most)
    return found


def read(file: File, options: Options) -> Iterator[Record]:
    """The records of a file's requests; a request that cannot be read is one rejected record."""
    recent = Recent()
    for place, found in requests(file):
        if isinstance(found, EventError):
            yield place, found
        else:
            for where, raw in records(found, options, recent):
                yield f"{place} ({where})", raw


def records(
    found: Sequence[Found],
    options: Options,
    recent: Recent | None = None,
    sender: Hashable = None,
) -> Iterator[Record]:
    """The records of a request's items; one that is no use of a model yields nothing or a note.

    With what is `recent` of the sender, also those of earlier spans of which this tells more.
    """
    spans = [item for _, item in found if isinstance(item, Span)]
    unfold(spans)
    earlier = recent.join(sender, spans) if recent else []
    tree = Tree([*earlier, *spans])
    doubles = tree.doubles()
    try:
        yield from _converted(found, tree, doubles, options)
        for raw in completed(earlier, spans, tree, doubles):
            yield EARLIER, with_owner(raw, options)
    finally:
        if recent:
            lighten(spans)


def _converted(
    found: Sequence[Found], tree: Tree, doubles: set[Key], options: Options
) -> Iterator[Record]:
    numbers = Numbers()
    for where, item in found:
        try:
            for raw in _events(item, tree, doubles):
                yield where, raw if isinstance(raw, Note) else with_owner(numbers.at(raw), options)
        except EventError as error:
            yield where, error
        except Exception as error:
            yield where, EventError(f"this is no record of the format ({describe_error(error)})")


def _events(item: Any, tree: Tree, doubles: set[Key]) -> Iterator[Raw | Note]:
    if isinstance(item, Span):
        return span_events(item, tree, doubles)
    if isinstance(item, EventError):
        raise item
    return MAKERS[type(item)](item)


MAKERS: Final[dict[type, Callable[[Any], Iterator[Raw | Note]]]] = {
    Log: log_events,
    Point: point_events,
}

FORMAT: Final = Format("otlp", "OpenTelemetry (OTLP)", recognises, read)
