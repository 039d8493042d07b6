"""The exchange rates that platform administrators stated, each change with its audit entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.errors import Refused
from data.events.table import EARLIEST, LATEST
from data.prices.exchange import ExchangeRate
from data.state.audit import Actor
from data.state.records import Records
from data.state.store import State
from data.state.tables import EXCHANGE_RATES

CURRENCY: Final = re.compile("[A-Za-z]{3}")
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NUMBER: Final = re.compile(r"\d{1,20}(\.\d{1,20})?(e-?\d\d?)?", re.ASCII | re.IGNORECASE)
FIELDS: Final = ("currency", "from", "dollars")
LEAST: Final = Decimal("1e-9")
MOST: Final = Decimal(1_000_000)
RECORDS: Final = Records(
    EXCHANGE_RATES, ExchangeRate.of, "exchange rate", "rate", "there is no such exchange rate"
)
require_platform_admin: Final = platform_admins_only("exchange rates are")
require_platform_reader: Final = platform_readers_only("exchange rates are")


def read_rates(connection: sa.Connection) -> list[ExchangeRate]:
    """Every rate, by currency and day."""
    rates = EXCHANGE_RATES.c
    rows = connection.execute(sa.select(EXCHANGE_RATES).order_by(rates.currency, rates.start))
    return [ExchangeRate.of(row) for row in rows]


def list_rates(state: State, scope: Scope) -> list[ExchangeRate]:
    """Every rate; raises `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    with state.reading() as connection:
        return read_rates(connection)


def state_rate(state: State, actor: Actor, raw: Mapping[str, Any]) -> ExchangeRate:
    """One more rate; `Refused` names the field that is wrong."""
    require_platform_admin(actor.scope)
    row = draft(raw) | {"at": actor.now, "who": actor.who}
    with state.writing() as connection:
        _refuse_second(connection, row)
        return RECORDS.create(connection, actor, row)


def remove_rate(state: State, actor: Actor, number: int) -> None:
    """No such rate any more; what was stored by it stays as it is. Raises `Unknown`."""
    require_platform_admin(actor.scope)
    with state.writing() as connection:
        RECORDS.remove(connection, actor, RECORDS.get(connection, number))


def draft(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a rate as described; raises `Refused` naming the one that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], f"an exchange rate has {', '.join(FIELDS)}, nothing else")
    named = str(raw.get("currency") or "").strip()
    currency = named.upper()
    if not CURRENCY.fullmatch(named) or currency == "USD":
        raise Refused("currency", "name a currency by its three letters, other than USD")
    return {"currency": currency, "start": _day(raw.get("from")), "dollars": _dollars(raw)}


def _day(value: Any) -> str:
    given = str(value or "").strip()
    try:
        day = date.fromisoformat(given) if DAY.fullmatch(given) else date.min
    except ValueError:
        day = date.min
    if not EARLIEST.year <= day.year < LATEST.year:
        raise Refused("from", "say from which day it holds, of 2000 to 2099: 2026-11-20")
    return day.isoformat()


def _dollars(raw: Mapping[str, Any]) -> str:
    given = str(raw.get("dollars")).strip()
    found = Decimal(given) if NUMBER.fullmatch(given) else Decimal(0)
    if not LEAST <= found <= MOST:
        raise Refused("dollars", "say how many US dollars one of it is worth: 1.16")
    return f"{found.normalize():f}"


def _refuse_second(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    same = [EXCHANGE_RATES.c[name] == row[name] for name in ("currency", "start")]
    if connection.execute(sa.select(EXCHANGE_RATES.c.id).where(*same)).first():
        raise Refused("from", f"{row['currency']} has a rate from that day: remove it first")
