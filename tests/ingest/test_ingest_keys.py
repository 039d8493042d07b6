"""Ingest keys: made and revoked by administrators alone, kept as hashes, bound to what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.test import TestResponse

from data.access.scope import Scope
from data.errors import EventError, Forbidden, Refused, Unknown
from data.ingest.import_log import source_totals
from data.ingest.keys import MINUTE, START, Key, add, any_good, list_keys, revoke, verify
from data.sources.format import Note, Record
from data.state.audit import Actor, entries
from data.state.store import State
from data.state.tables import INGEST_KEYS
from tests.serving import ADMIN, KEY, Served, serving

ROOT: Final = Scope.of({"sub": "root", "isAdmin": True})
NOW: Final = 1_763_640_000_000_000
HAND: Final = Actor(ROOT, "Root", NOW)
PATH: Final = "/api/v1/ingest-keys"
WELL: Final = {
    "event_id": "r1", "ts": "2026-11-20T08:00:00Z", "kind": "llm", "channel": "api", "source": "me",
}  # fmt: skip


# --- kept


def test_a_key_opens_until_it_is_revoked(state: State) -> None:
    assert not any_good(state)
    made, secret = add(state, HAND, {"name": " CI ", "source": "github", "project": "web"})
    assert (made.name, made.source, made.project, made.created_by) == (
        "CI", "github", "web", "root",
    )  # fmt: skip
    assert any_good(state)
    assert verify(state, secret, NOW) == made
    revoke(state, HAND, made.id)
    assert verify(state, secret, NOW) is None
    assert not any_good(state)
    assert [(one.name, one.revoked) for one in list_keys(state, ROOT)] == [("CI", NOW)]


def test_the_secret_is_long_never_kept_and_never_the_same(tmp_path: Path) -> None:
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    secrets = [add(state, HAND, {"name": f"k{n}", "source": "ci"}) for n in range(20)]
    assert len({secret for _, secret in secrets}) == 20
    state.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for made, secret in secrets:
        assert secret.startswith(START)
        assert len(secret) >= 43
        assert secret.encode() not in kept
        assert made.shown == secret[: len(START) + 4]
        assert made.shown.encode() in kept


@pytest.mark.parametrize("wrong", ["", START, "x", KEY, "ssk_" + "A" * 43, "ключ", "ssk_\udc80"])
def test_no_other_text_is_a_key(state: State, wrong: str) -> None:
    made, secret = add(state, HAND, {"name": "one", "source": "ci"})
    assert verify(state, wrong, NOW) is None
    for near in (secret[:-1], secret + "A", secret.swapcase(), made.shown):
        assert verify(state, near, NOW) is None


def test_use_is_noted_at_most_once_a_minute(state: State) -> None:
    _, secret = add(state, HAND, {"name": "one", "source": "ci"})
    noted = []
    for now in (NOW, NOW + MINUTE - 1, NOW + MINUTE, NOW + MINUTE + 1):
        verify(state, secret, now)
        noted.append(list_keys(state, ROOT)[0].used)
    assert noted == [NOW, NOW, NOW + MINUTE, NOW + MINUTE]


def test_each_change_is_in_the_audit_trail_without_the_secret(state: State) -> None:
    made, secret = add(state, HAND, {"name": "one", "source": "ci", "project": "web"})
    revoke(state, HAND, made.id)
    revoke(state, HAND, made.id)
    ended, begun = entries(state, ROOT, 10)
    assert [(e.who, e.action, e.thing) for e in (begun, ended)] == [
        ("root", "create", f"ingest key {made.id}"),
        ("root", "delete", f"ingest key {made.id}"),
    ]
    assert begun.after == ended.before == made.as_dict()
    assert secret not in str((begun, ended))


@pytest.mark.parametrize(("raw", "field"), [
    ({}, "name"), ({"name": "  "}, "name"), ({"name": 7}, "name"), ({"name": "x" * 101}, "name"),
    ({"name": "a\nb"}, "name"), ({"name": "a", "source": ["b"]}, "source"),
    ({"name": "a"}, "source"), ({"name": "a", "source": " "}, "source"),
    ({"name": "a", "source": "sample"}, "source"), ({"name": "a", "project": "p\x00"}, "project"),
    ({"name": "a", "id": 7}, "id"), ({"name": "taken", "source": "s"}, "name"),
])  # fmt: skip
def test_what_is_no_key_is_refused_by_its_field(
    state: State, raw: dict[str, Any], field: str
) -> None:
    add(state, HAND, {"name": "taken", "source": "ci"})
    with pytest.raises(Refused) as refused:
        add(state, HAND, raw)
    assert refused.value.parameter == field
    assert len(list_keys(state, ROOT)) == 1


def test_a_revoked_keys_name_is_free_again(state: State) -> None:
    made, _ = add(state, HAND, {"name": "one", "source": "ci"})
    revoke(state, HAND, made.id)
    again, _ = add(state, HAND, {"name": "one", "source": "ci"})
    assert again.id != made.id


@pytest.mark.parametrize("claims", [
    {"sub": "u"}, {"sub": "u", "applications": "web"}, {"sub": "u", "applications_admin": "web"},
])  # fmt: skip
def test_nobody_else_touches_keys(state: State, claims: dict[str, Any]) -> None:
    hand = Actor(Scope.of(claims), "U", NOW)
    made, secret = add(state, HAND, {"name": "one", "source": "ci"})
    for try_it in (
        lambda: list_keys(state, hand.scope),
        lambda: add(state, hand, {"name": "two", "source": "ci"}),
        lambda: revoke(state, hand, made.id),
    ):
        with pytest.raises(Forbidden):
            try_it()
    assert verify(state, secret, NOW)
    assert len(entries(state, ROOT, 10)) == 1


@pytest.mark.parametrize("number", [-1, 0, 2, 2**63, 10**30])
def test_an_unknown_key_cannot_be_revoked(state: State, number: int) -> None:
    add(state, HAND, {"name": "one", "source": "ci"})
    with pytest.raises(Unknown):
        revoke(state, HAND, number)


# --- over HTTP


def made(served: Served, **fields: Any) -> tuple[int, str]:
    body = {"name": "k", "source": "ci"} | fields
    answer = served.client.post(PATH, json=body, headers=served.headers(ADMIN))
    assert answer.status_code == 201, answer.text
    found = answer.json or {}
    return found["id"], found["key"]


def send(served: Served, headers: dict[str, str], *events: dict[str, Any]) -> TestResponse:
    return served.client.post("/api/v1/events", data=json.dumps(events), headers=headers)


def test_keys_are_made_listed_and_revoked_over_http(served: Served) -> None:
    number, secret = made(served, name="Laptop", source="claude-code", project="web")
    headers = {"Authorization": f"Bearer {secret}"}
    assert send(served, headers, WELL).status_code == 200
    listing = served.json("ingest-keys")["keys"]
    assert listing == [{
        "id": number, "name": "Laptop", "shown": f"{secret[:8]}…", "source": "claude-code",
        "project": "web", "user": None, "created": "2026-11-20T12:00:00+00:00",
        "created_by": "root", "revoked": None, "used": "2026-11-20T12:00:00+00:00",
    }]  # fmt: skip
    ended = served.client.delete(f"{PATH}/{number}", headers=served.headers(ADMIN))
    assert ended.status_code == 200
    assert (ended.json or {})["revoked"] == "2026-11-20T12:00:00+00:00"
    assert send(served, headers, WELL).status_code == 401


@pytest.mark.parametrize("claims", [{"sub": "u"}, {"sub": "u", "applications_admin": "web"}])
def test_the_http_doors_are_for_administrators(served: Served, claims: dict[str, Any]) -> None:
    number, _ = made(served)
    headers = served.headers(claims)
    assert served.client.get(PATH, headers=headers).status_code == 403
    assert served.client.post(PATH, json={"name": "x"}, headers=headers).status_code == 403
    assert served.client.delete(f"{PATH}/{number}", headers=headers).status_code == 403
    assert served.client.get(PATH).status_code == 401
    assert len(served.json("ingest-keys")["keys"]) == 1


def test_an_ingest_key_reads_nothing_and_makes_no_keys(served: Served) -> None:
    _, secret = made(served)
    for key in (secret, KEY):
        headers = {"Authorization": f"Bearer {key}"}
        assert served.client.get("/api/v1/query?metrics=cost", headers=headers).status_code == 401
        assert served.client.get(PATH, headers=headers).status_code == 401
        assert served.client.post(PATH, json={"name": "x"}, headers=headers).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"name": ""}'])
def test_a_body_that_describes_no_key_is_refused(served: Served, body: bytes) -> None:
    answer = served.client.post(PATH, data=body, headers=served.headers(ADMIN))
    assert answer.status_code == 400


def test_a_key_is_a_bearer_or_an_api_key(tmp_path: Path) -> None:
    with serving(tmp_path, INGEST_KEY="") as one:
        assert "there is no ingest key" in send(one, {}, WELL).text
        _, secret = made(one)
        assert send(one, {"Authorization": f"Bearer {secret}"}, WELL).status_code == 200
        assert send(one, {"x-api-key": secret}, WELL).status_code == 200
        assert send(one, {"x-api-key": secret[:-1]}, WELL).status_code == 401
        assert "missing or wrong" in send(one, {}, WELL).text


# --- what a key stamps


def brought(served: Served, by: str) -> dict[str | None, int]:
    rows = served.json("query", metrics="events", by=by, preset="last_n_days", n=9)["rows"]
    return {row[by]: row["events"] for row in rows}


def test_a_bound_key_says_the_source_and_the_project(served: Served) -> None:
    _, secret = made(served, source="ci", project="web")
    events: list[dict[str, Any]] = [
        WELL | {"event_id": "a"}, WELL | {"event_id": "b", "project": ""},
        WELL | {"event_id": "c", "project": " web "}, WELL | {"event_id": "d", "project": "pay"},
        WELL | {"event_id": "e", "project": 7},
    ]  # fmt: skip
    told: Any = send(served, {"x-api-key": secret}, *events).json
    assert (told["read"], told["accepted"], told["rejected"]) == (5, 3, 2)
    for one, where in zip(told["rejections"], ("body:4", "body:5"), strict=True):
        assert one == {"where": where, "reason": "this key is for the project 'web' alone"}
    assert brought(served, "project") == {"web": 3}
    assert served.store.remove("me") == 0
    assert served.store.remove("ci") == 3


def test_a_key_without_bonds_changes_nothing(served: Served) -> None:
    """SPENDSCOPE_INGEST_KEY, and keys that were made before a source was asked for."""
    _, secret = made(served)
    state = State(served.settings.state_url)
    with state.writing() as connection:
        connection.execute(INGEST_KEYS.update().values(source=None))
    state.close()
    assert served.json("ingest-keys")["keys"][0]["source"] is None
    for n, headers in enumerate(({"x-api-key": secret}, {"Authorization": f"Bearer {KEY}"})):
        send(served, headers, WELL | {"event_id": f"{n}", "project": f"p{n}"})
    assert brought(served, "project") == {"p0": 1, "p1": 1}
    assert served.store.remove("me") == 2


def test_a_stamp_leaves_notes_and_rejections_alone() -> None:
    key = Key(1, "k", "ssk_aaaa", "ci", "web", NOW, "root")
    given: list[Record] = [("a", Note("n")), ("b", EventError("no")), ("c", {"event_id": "x"})]
    said = list(key.stamp(given))
    assert said[:2] == given[:2]
    assert said[2] == (
        "c",
        {"event_id": "x", "source": "ci", "project": "web", "project_name": None},
    )


def test_a_key_of_a_user_says_whose_everything_is(served: Served) -> None:
    _, secret = made(served, user="ana")
    events: list[dict[str, Any]] = [
        WELL | {"event_id": "a"}, WELL | {"event_id": "b", "user": " ana ", "user_name": "Bob"},
        WELL | {"event_id": "c", "user": "bob"}, WELL | {"event_id": "d", "user": 7},
    ]  # fmt: skip
    told: Any = send(served, {"x-api-key": secret}, *events).json
    assert (told["accepted"], told["rejected"]) == (2, 2)
    assert {one["reason"] for one in told["rejections"]} == {"this key is for the user 'ana' alone"}
    assert brought(served, "user") == {"ana": 2}
    rows = served.json("events", metric="events", preset="last_n_days", n=9)["rows"]
    assert [row["user_name"] for row in rows] == [None, None]
    assert [one["user"] for one in served.json("ingest-keys")["keys"]] == ["ana"]


def test_an_address_in_other_letters_is_the_keys_user(served: Served) -> None:
    _, secret = made(served, user="Ana@Example.com")
    names = (
        "ana@example.com",
        "ANA@EXAMPLE.COM ",
        "Ana@Example.com",
        "ana@example.org",
        "Ana",
        ["a"],
    )
    events = [WELL | {"event_id": f"e{n}", "user": name} for n, name in enumerate(names)]
    answer: Any = send(served, {"x-api-key": secret}, *events).json
    assert (answer["accepted"], answer["rejected"]) == (3, 3)
    assert brought(served, "user") == {"Ana@Example.com": 3}


def test_a_key_of_a_name_in_other_letters_is_not_that_users(served: Served) -> None:
    _, secret = made(served, user="ana", project="web")
    events = [WELL | {"event_id": name, "user": name} for name in ("Ana", "ANA", "ana")]
    events += [WELL | {"event_id": "x", "project": "Web"}]
    answer: Any = send(served, {"x-api-key": secret}, *events).json
    assert (answer["accepted"], answer["rejected"]) == (1, 3)


def test_a_key_of_a_user_completes_nothing_of_others_through_a_shared_id(served: Served) -> None:
    call = WELL | {"model": "gpt-4o", "output_tokens": 5, "shared_id": "s1"}
    send(served, {"x-api-key": KEY}, call | {"user": "bob"})
    _, secret = made(served, user="ana")
    for event_id in ("r1", "mine"):
        send(served, {"x-api-key": secret}, call | {"event_id": event_id, "output_tokens": 99})
    totals = served.json("query", metrics="requests,output_tokens", preset="last_n_days", n=9)[
        "totals"
    ]
    assert totals == {"requests": 1, "output_tokens": 5}
    assert brought(served, "user") == {"bob": 1}


def test_what_a_gateway_posts_under_a_key_of_a_user_is_theirs_or_refused(served: Served) -> None:
    _, secret = made(served, user="ana")
    bodies = [
        {
            "id": f"c{n}",
            "call_type": "acompletion",
            "startTime": 1_795_000_000.0,
            "endTime": 1_795_000_001.0,
            "model": "gpt-4o",
            "status": "success",
            "metadata": {"user_api_key_user_id": user},
        }
        for n, user in enumerate(("bob", None))
    ]
    path = "/api/v1/events?format=litellm-callback"
    answer: Any = served.client.post(path, json=bodies, headers={"x-api-key": secret}).json
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert brought(served, "user") == {"ana": 1}


def test_telemetry_is_of_the_keys_user_whoever_it_names(served: Served) -> None:
    _, secret = made(served, user="ana")
    attributes = [{"key": name, "value": {"stringValue": value}} for name, value in
                  (("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m"),
                   ("enduser.id", "an account"))]  # fmt: skip
    span = {"traceId": "0a" * 16, "spanId": "0b" * 8, "name": "chat m", "attributes": attributes,
            "startTimeUnixNano": "1763640000000000000",
            "endTimeUnixNano": "1763640001000000000"}  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = served.client.post("/v1/traces", json=body, headers={"x-api-key": secret})
    assert answer.json == {}
    with served.store.sql.connect() as connection:
        users = connection.exec_driver_sql('SELECT "user", user_name FROM events').all()
    assert [tuple(row) for row in users] == [("ana", None)]


def test_a_bound_key_says_not_what_its_project_is_called(served: Served) -> None:
    _, secret = made(served, project="web")
    send(served, {"x-api-key": secret}, WELL | {"project_name": "Pay"}, WELL | {"event_id": "b"})
    assert brought(served, "project") == {"web": 2}
    rows = served.json("events", metric="events", preset="last_n_days", n=9)["rows"]
    assert [row["project_name"] for row in rows] == [None, None]


@pytest.mark.parametrize("said", ["sample", " sample "])
def test_nobody_sends_as_the_sample(served: Served, said: str) -> None:
    told: Any = send(served, {"x-api-key": KEY}, WELL | {"source": said}, WELL).json
    assert (told["accepted"], told["rejected"]) == (1, 1)
    assert told["rejections"][0]["reason"] == "the source 'sample' is the sample organisation's"


def test_what_is_rejected_or_known_is_booked_to_the_source_of_the_key(served: Served) -> None:
    _, secret = made(served, source="shop")
    headers = {"x-api-key": secret}
    for body in ({"kind": "fax"}, WELL, WELL):
        send(served, headers, body)
    bad = b'{"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]}'
    kind = {"content_type": "application/json", "headers": headers}
    assert served.client.post("/v1/traces", data=bad, **kind).status_code == 200
    served.json("imports")  # writes what is held
    state = State(served.settings.state_url)
    booked = source_totals(state, ROOT)
    state.close()
    assert {name: (one["duplicates"], one["rejected"]) for name, one in booked.items()} == {
        "shop": (1, 2)
    }
