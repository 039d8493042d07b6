"""Claude Enterprise and Team: spend reports and the analytics API, exact and once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import TOKENS, Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, formats, read
from data.sources.events import event_of
from tests.sources.test_vendor_usage import table

Row = dict[str, Any]
START: Final = datetime(2026, 5, 1, tzinfo=UTC)
NAMED: Final = "spend-report-fb01cd94-2026-03-26-to-2026-06-24.csv"
SPENT: Final[Row] = {
    "user_email": "ana@example.com", "account_uuid": "u-1", "product": "Claude Code",
    "model": "claude-sonnet-4-6", "total_requests": "10", "total_prompt_tokens": "1000",
    "total_completion_tokens": "100", "total_net_spend_usd": "1.25",
    "total_gross_spend_usd": "2.50", "user_id": "user_1", "total_uncached_input_tokens": "300",
    "total_cache_read_tokens": "600", "total_cache_write_5m_tokens": "60",
    "total_cache_write_1h_tokens": "40", "total_web_search_count": "3",
    "slack_channel_id": "", "teams_channel_id": "",
}  # fmt: skip
NOBODY: Final = SPENT | {
    "user_email": "(org service usage)", "account_uuid": "(org service)", "product": "(other)",
    "model": "", "total_net_spend_usd": "0.5", "total_requests": "",
}  # fmt: skip
USED: Final[Row] = {
    "actor": {"type": "user_actor", "user_id": "user_1", "email": "ana@example.com",
              "name": "Ana", "deleted": False},
    "starting_at": "2026-05-01T00:00:00Z", "ending_at": "2026-05-02T00:00:00Z",
    "product": "chat", "model": "claude-sonnet-4-6", "context_window": None,
    "inference_geo": None, "speed": None, "uncached_input_tokens": 1_000,
    "cache_read_input_tokens": 5_000, "output_tokens": 200, "total_tokens": 6_500, "requests": 4,
    "cache_creation": {"ephemeral_1h_input_tokens": 100, "ephemeral_5m_input_tokens": 200},
    "server_tool_use": {"web_search_requests": 2},
}  # fmt: skip
BILLED: Final[Row] = {
    **{name: USED[name] for name in ("actor", "starting_at", "ending_at", "product", "model")},
    "amount": "1234.500000", "list_amount": "2000.000000", "currency": "USD",
    "cost_type": None, "token_type": None, "requests": 4,
}  # fmt: skip


def page(*rows: Row) -> bytes:
    return json.dumps({"data": rows, "has_more": False, "next_page": None}).encode()


def events_in(
    name: str, body: bytes, file: str = "f", start: datetime | None = None,
    end: datetime | None = None,
) -> list[Any]:  # fmt: skip
    made = formats()[name].read(File(file, body=body), Options(start=start, end=end))
    return [raw if isinstance(raw, EventError | Note) else event_of(raw) for _, raw in made]


def spend(*rows: Row, file: str = NAMED, start: datetime | None = None) -> list[Any]:
    return events_in("claude_spend", table(*rows).encode(), file, start)


def test_a_row_of_a_spend_report() -> None:
    (event,) = spend(SPENT)
    assert [event[name] for name in TOKENS] == [300, 600, 100, 100]
    assert (event["cache_write_1h_tokens"], event["web_searches"]) == (40, 3)
    assert (event["request_count"], event["cost_nano"]) == (10, 1_250_000_000)
    assert event["ts"] == 1_774_483_200_000_000  # 26 March 2026
    assert (event["user"], event["channel"], event["client"]) == (
        "ana@example.com", "cli", "claude-code",
    )  # fmt: skip
    assert json.loads(event["tags"]) == {
        "product": "Claude Code", "until": "2026-06-24", "gross_spend_usd": "2.50",
    }  # fmt: skip


def test_nobodys_spend_counts_and_nobody_is_named_for_it() -> None:
    (event,) = spend(NOBODY)
    assert (event["user"], event["model"], event["cost_nano"]) == (None, None, 500_000_000)


def test_an_older_spend_report_tells_prompts_alone() -> None:
    names = ("product", "model", "total_requests", "total_prompt_tokens", "total_completion_tokens")
    older = {"email": "ana@example.com"} | {name: SPENT[name] for name in names}
    (event,) = spend(older)
    assert [event[name] for name in TOKENS] == [1_000, None, None, 100]
    assert (event["user"], event["cost_origin"]) == ("ana@example.com", "list")


def test_channels_are_rows_of_their_own_and_idle_ones_are_left_out() -> None:
    idle = SPENT | {"total_requests": "0", "total_net_spend_usd": "0"}
    one, two, note = spend(SPENT, SPENT | {"slack_channel_id": "C1"}, idle)
    assert one["event_id"] != two["event_id"]
    assert note.text == "1 rows are people and models without any use"


def test_a_spend_report_without_dates_needs_a_start(tmp_path: Path, store: EventStore) -> None:
    (error,) = spend(SPENT, file="report.csv")
    assert "--start" in str(error)
    (event,) = spend(SPENT, file="report.csv", start=START)
    assert event["ts"] == 1_777_593_600_000_000
    (tmp_path / NAMED).write_text(table(SPENT, NOBODY))
    report = ingest_paths([tmp_path], store)
    assert (report.format, report.accepted, report.cost_nano) == ("claude_spend", 2, 1_750_000_000)
    assert ingest_paths([tmp_path], store).duplicates == 2


def test_a_period_that_is_given_is_the_one_a_name_tells() -> None:
    body, day = table(SPENT).encode(), datetime(2026, 3, 26, tzinfo=UTC)
    given = events_in("claude_spend", body, "report.csv", day, datetime(2026, 6, 25, tzinfo=UTC))
    assert given == spend(SPENT)


def people(*rows: Row, start: datetime | None = None) -> list[Any]:
    return events_in("claude_enterprise", page(*rows), start=start)


def test_usage_of_a_person() -> None:
    (event,) = people(USED)
    assert [event[name] for name in TOKENS] == [1_000, 5_000, 300, 200]
    assert (event["cache_write_1h_tokens"], event["web_searches"]) == (100, 2)
    assert (event["request_count"], event["cost_origin"]) == (4, "list")
    assert (event["user"], event["user_name"], event["channel"]) == (
        "ana@example.com", "Ana", "other",
    )  # fmt: skip


def special(**differs: Any) -> Event:
    (event, note) = people(USED | differs)
    assert isinstance(note, Note)
    return event  # type: ignore[no-any-return]


def test_what_has_no_list_price_says_so() -> None:
    (fast,) = people(USED | {"speed": "fast"})
    assert (fast["service_tier"], fast["unpriced_reason"]) == ("fast", "no rate for fast")
    assert special(inference_geo="us")["unpriced_reason"] == "no rate for US inference"
    assert special(context_window="200k-1M")["cost_nano"] is None


def test_money_of_tokens_is_compared_and_other_money_stored(
    tmp_path: Path, store: EventStore
) -> None:
    (tmp_path / "usage.json").write_bytes(page(USED))
    code = BILLED | {"cost_type": "code_execution", "amount": "50"}
    (tmp_path / "cost.json").write_bytes(page(BILLED, code))
    report = ingest_paths([tmp_path], store)
    assert (report.accepted, report.rejected) == (2, 0)
    assert any("bills 12.3450 USD for tokens on 1 days" in note for note in report.notes)
    again = ingest_paths([tmp_path], store)
    assert (again.accepted, again.duplicates) == (0, 2)


def test_the_zone_of_a_bucket_is_no_identity() -> None:
    moved = USED | {"starting_at": "2026-05-01T02:00:00+02:00",
                    "ending_at": "2026-05-02T02:00:00+02:00"}  # fmt: skip
    assert people(USED)[0]["event_id"] == people(moved)[0]["event_id"]


def test_rows_without_a_time_need_a_start() -> None:
    undated = USED | {"starting_at": None, "ending_at": None}
    (error,) = people(undated)
    assert "bucket_width" in str(error)
    (event,) = people(undated, start=START)
    assert event["ts"] == 1_777_593_600_000_000
    month = datetime(2026, 6, 1, tzinfo=UTC)
    (event,) = events_in("claude_enterprise", page(undated), start=START, end=month)
    assert json.loads(event["tags"])["bucket"] == "2678400s"


def test_a_deleted_person_keeps_an_id() -> None:
    gone = {"type": "user_actor", "user_id": "user_9", "email": None, "name": "Deleted User"}
    (event,) = people(USED | {"actor": gone})
    assert event["user"] == "user_9"


ACTIVE: Final[Row] = {
    "chat_metrics": {"message_count": 8, "distinct_conversation_count": 3},
    "claude_code_metrics": {
        "core_metrics": {
            "commit_count": 2, "distinct_session_count": 3, "pull_request_count": 1,
            "lines_of_code": {"added_count": 20, "removed_count": 4},
        },
        "tool_actions": {},
    },
    "user": {"id": "user_1", "email_address": "ana@example.com"},
    "web_search_count": 0,
}  # fmt: skip


def test_what_a_person_did_on_a_day(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "users.json").write_bytes(page(ACTIVE, ACTIVE | {
        "chat_metrics": {}, "claude_code_metrics": {}, "user": {"id": "user_2"}}))  # fmt: skip
    report = ingest_paths([tmp_path], store, Options(start=START))
    assert (report.format, report.accepted) == ("claude_activity", 1)
    (event,) = events_in("claude_activity", page(ACTIVE), start=START)
    assert (event["kind"], event["lines_added"], event["lines_removed"]) == ("session", 20, 4)
    assert json.loads(event["tags"])["chat_messages"] == 8


@pytest.mark.parametrize(
    ("name", "body"),
    [("claude_spend", table(SPENT).encode()), ("claude_enterprise", page(USED)),
     ("claude_enterprise", page(BILLED)), ("claude_activity", page(ACTIVE)),
     ("anthropic_usage", json.dumps({"data": [{
         "starting_at": "2026-05-01T00:00:00Z", "ending_at": "2026-05-02T00:00:00Z",
         "results": [{"requests": 7, "product": "chat", "uncached_input_tokens": 5}]}]}).encode())],
)  # fmt: skip
def test_each_is_recognised(name: str, body: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(body)
    (found,) = find([tmp_path], options=Options(start=START))
    assert found.format is formats()[name]
    events = [event_of(raw) for _, raw in read([found], Options(start=START))
              if not isinstance(raw, Note)]  # fmt: skip
    if name == "anthropic_usage":
        assert [event["request_count"] for event in events] == [7]
