"""Exchange rates: stated, dated, in the audit trail, for platform administrators; amounts in
another currency count by the rate of their day, and by none as dollars."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.commands.main import main
from data.access.scope import Scope
from data.engines.duckdb.store import DuckEvents
from data.errors import Forbidden, Refused, Unknown
from data.events.table import micros
from data.ingest.importing import ingest_paths
from data.local_time import instant
from data.prices.exchange import Exchange, ExchangeRate
from data.prices.own import PriceBookStore, with_draft
from data.prices.stated_rates import list_rates, remove_rate, state_rate
from data.sources.events import BY_RATE, NO_RATE
from data.state.audit import Actor
from data.state.store import State
from tests.cli_logs import stored
from tests.resources import fill
from tests.serving import serving
from tests.sources.test_bills import CHARGE, imported

NOW: Final = 1_795_000_000_000_000
ROOT: Final = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", NOW)
EURO: Final[dict[str, Any]] = {"currency": "eur", "from": "2026-02-01", "dollars": "1.1600"}


@pytest.fixture
def state(tmp_path: Path) -> Any:
    made = State(f"sqlite:///{tmp_path / 'state.db'}")
    yield made
    made.close()


def test_a_rate_holds_from_its_day_until_the_next() -> None:
    dice = random.Random(1)
    days = sorted(dice.sample(range(1, 28), 6))
    rates = [ExchangeRate(n, "EUR", f"2026-03-{day:02}", f"1.{n}", 0, "") for n, day in
             enumerate(days)]  # fmt: skip
    exchange = Exchange(dice.sample(rates, len(rates)))
    for day in range(1, 29):
        ts = micros(instant(NOW).replace(year=2026, month=3, day=day, hour=0, minute=0, second=0,
                                         microsecond=0))  # fmt: skip
        begun = [one for one in rates if one.start <= f"2026-03-{day:02}"]
        expected = 5 * Decimal(begun[-1].dollars) if begun else None
        assert exchange.dollars("EUR", Decimal(5), ts) == expected
        assert exchange.dollars("GBP", Decimal(5), ts) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [({"currency": "USD"}, "currency"), ({"currency": "euro"}, "currency"), ({"from": ""}, "from"),
     ({"from": "soon"}, "from"), ({"dollars": "0"}, "dollars"), ({"dollars": "-1"}, "dollars"),
     ({"dollars": "NaN"}, "dollars"), ({"dollars": None}, "dollars"), ({"more": 1}, "more")],
)  # fmt: skip
def test_what_is_no_rate_is_refused(change: dict[str, Any], field: str, state: State) -> None:
    with pytest.raises(Refused) as refused:
        state_rate(state, ROOT, EURO | change)
    assert refused.value.parameter == field
    assert list_rates(state, ROOT.scope) == []


def test_rates_are_for_platform_admins_and_kept_once(state: State) -> None:
    other = Actor(Scope.of({"sub": "ana", "applications_admin": "web"}), "Ana", NOW)
    for act in (lambda: list_rates(state, other.scope), lambda: state_rate(state, other, EURO),
                lambda: remove_rate(state, other, 1)):  # fmt: skip
        with pytest.raises(Forbidden):
            act()
    made = state_rate(state, ROOT, EURO)
    assert (made.currency, made.start, made.dollars) == ("EUR", "2026-02-01", "1.16")
    with pytest.raises(Refused):
        state_rate(state, ROOT, EURO)
    remove_rate(state, ROOT, made.id)
    with pytest.raises(Unknown):
        remove_rate(state, ROOT, made.id)


def test_amounts_count_by_the_rate_of_their_day_once_it_is_stated(
    state: State, tmp_path: Path
) -> None:
    store = DuckEvents(tmp_path / "events.duckdb", PriceBookStore(state))
    euros = CHARGE | {"BillingCurrency": "EUR"}
    rows = (euros, euros | {"BilledCost": "-2", "ChargeCategory": "Credit"})
    assert imported(tmp_path, store, *rows).notes[NO_RATE.format("EUR")] == 2
    state_rate(state, ROOT, EURO)
    state_rate(state, ROOT, EURO | {"from": "2026-03-02", "dollars": "9"})
    again = imported(tmp_path, store, *rows)
    assert (again.accepted, again.notes[BY_RATE.format("EUR")]) == (0, 2)
    assert stored(store, "kind", "cost_nano", "cost_origin", "unpriced_reason") == [
        ("adjustment", -2_320_000_000, "reported", None),
        ("llm", 14_500_000_000, "reported", None),
    ]
    assert ingest_paths([tmp_path / "bill.csv"], store).accepted == 0
    store.close()


def test_the_book_of_a_price_to_be_has_the_rates(state: State) -> None:
    state_rate(state, ROOT, EURO)
    price = {"model": "our-model", "from": "2026-01-01", "input": "1", "output": "2"}
    _, book = with_draft(state, ROOT.scope, price)
    assert book.exchange.rates == tuple(list_rates(state, ROOT.scope)) != ()


def _any(*values: Any) -> tuple[Any, ...]:
    return values


def test_what_nobody_means_as_a_rate_is_refused_over_http(tmp_path: Path) -> None:
    long, script = "9" * 10_000_000, "<script>alert(1)</script>"
    bodies: list[Any] = [
        *(EURO | {"dollars": dollars} for dollars in _any(
            "1e-999999", "1e-10", "1e999999999", "9" * 5_000, "-1", 0, "Infinity",
            "sNaN", "1_0", "\u0661", "", None, True, [1.1], {"a": 1}, script)),
        *(EURO | {"from": day} for day in _any(
            "0001-01-01", "9999-12-31", "20260101", "2026-W01-1", 20_260_101, True, [], script)),
        *(EURO | {"currency": name} for name in _any("\u00dfu", "EU\0", 5, ["EUR"], script, "USD")),
        EURO | {script: 1}, EURO | {"currency": long}, [EURO], "EUR", None, 1,
    ]  # fmt: skip
    with serving(tmp_path) as served:
        headers = served.headers({"sub": "root", "isAdmin": True})
        path = "/api/v1/exchange-rates"
        answers = [served.client.post(path, json=body, headers=headers) for body in bodies]
        answers += [served.client.post(path, data=json.dumps(EURO)[:-1] + f', "dollars": {n}}}',
                                       headers=headers) for n in ("NaN", long)]  # fmt: skip
        assert {answer.status_code for answer in answers} == {400}
        assert {answer.mimetype for answer in answers} == {"application/json"}
        assert served.json("exchange-rates")["rates"] == []


@pytest.mark.parametrize("dollars", [1.16, "1.16", " 1.16 ", "1e-9", "2.4e-5", 1_000_000])
def test_a_rate_is_kept_as_it_was_said(dollars: Any, state: State) -> None:
    made = state_rate(state, ROOT, EURO | {"dollars": dollars})
    assert Decimal(made.dollars) == Decimal(str(dollars).strip())


def test_the_page_the_route_and_the_trail_have_it(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        headers = served.headers({"sub": "root", "isAdmin": True})
        path = "/api/v1/exchange-rates"
        assert served.client.post(path, json=EURO, headers=headers).status_code == 201
        (rate,) = served.json("exchange-rates")["rates"]
        assert (rate["currency"], rate["dollars"], rate["who"]) == ("EUR", "1.16", "root")
        assert served.get("exchange-rates", {"sub": "ana"}).status_code == 403
        assert "EUR" in str(fill(served, "exchange-rates")["table"]["rowData"])
        assert served.client.delete(f"{path}/{rate['id']}", headers=headers).status_code == 204
        things = [one["thing"] for one in served.json("audit")["entries"]]
        assert things[:2] == [f"exchange rate {rate['id']}"] * 2


def test_the_command_states_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> int:
        return main(lambda *_: None, ["exchange-rate", *arguments])

    assert run("EUR", "1.16", "--from", "2025-11-01") == run() == 0
    said = "1 EUR is 1.16 USD from 2025-11-01\n"
    assert capsys.readouterr().out == f"Stated: {said}{said}"
    assert run("EUR", "many") == 1
    assert "US dollars" in capsys.readouterr().err
