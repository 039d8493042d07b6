"""What a person prefers: where they start, in which zone they read, how the page looks.

`parse` is the door: what it lets in can be kept and used. Everybody has preferences of their
own and nobody else's: they are found by who asks, never by a name that is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.errors import Refused, excerpt
from data.local_time import zone, zones
from data.query.filters import Choice
from data.query.windows import DEFAULT_N, DEFAULT_PRESET, LARGEST_N, PRESETS
from data.state.tables import PREFERENCES

if TYPE_CHECKING:
    from data.state.store import State

# A preferred range with fixed ends would be the past by tomorrow.
STARTS: Final = {name: label for name, label in PRESETS.items() if name != "custom"}
THEMES: Final = {"light": "Light", "dark": "Dark"}
MODES: Final = {"chart": "Charts", "table": "Tables"}
_ALLOWED: Final = {"preset": STARTS, "theme": THEMES, "mode": MODES}


@dataclass(frozen=True, slots=True)
class Preferences:
    """None is no preference: the product's default, the browser's zone, the system's theme."""

    preset: str | None = None
    n: int | None = None
    zone: str | None = None
    theme: str | None = None
    mode: str | None = None

    def choice(self) -> Choice:
        """What a reader who comes without an address of their own is shown."""
        if self.preset is None:
            return {}
        if self.preset not in DEFAULT_N:
            return {"preset": self.preset}
        n = self.n or DEFAULT_N[self.preset]
        default = (self.preset, n) == (DEFAULT_PRESET, DEFAULT_N[DEFAULT_PRESET])
        return {} if default else {"preset": self.preset, "n": str(n)}

    def zone_in(self, browser: Any) -> str:
        """The zone in which times are read: preferred, else the browser's where it is known."""
        found = self.zone or browser
        return found if isinstance(found, str) and found in zones() else "UTC"

    def as_dict(self) -> dict[str, Any]:
        """All of them, as JSON and the table have them; null is no preference."""
        return asdict(self)


NAMES: Final = tuple(field.name for field in fields(Preferences))
NO_OBJECT: Final = f"send an object with some of {', '.join(NAMES)}"


def parse(raw: Any) -> Preferences:
    """The preferences that arrive; an empty value is no preference. Raises `Refused`."""
    if not isinstance(raw, Mapping):
        raise Refused("preferences", NO_OBJECT)
    for name in raw:
        if name not in NAMES:
            raise Refused(str(name)[:40], f"there is no preference {excerpt(name)}")
    preset = _among("preset", raw.get("preset"))
    return Preferences(
        preset, _n(preset, raw.get("n")), _zone(raw.get("zone")),
        _among("theme", raw.get("theme")), _among("mode", raw.get("mode")),
    )  # fmt: skip


def _among(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value not in _ALLOWED[name]:
        allowed = ", ".join(_ALLOWED[name])
        raise Refused(name, f"{name} is {excerpt(value)}; use one of {allowed}")
    return value


def _zone(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused("zone", "zone must be an IANA name like Europe/Berlin")
    return zone(value).key


def _n(preset: str | None, value: Any) -> int | None:
    """N for a preset that has one; it is kept with that preset only."""
    if value is None or value == "" or preset not in DEFAULT_N:
        return None
    text, most = str(value).strip(), LARGEST_N[preset]
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if isinstance(value, bool) or not 1 <= number <= most:
        unit = "hours" if preset == "last_n_hours" else "days"
        raise Refused("n", f"N must be a whole number of {unit} from 1 to {most:,}")
    return number


def read(state: State, *ids: str) -> Preferences:
    """What a person of these ids prefers as it is now: as the first of them that said anything,
    since somebody who is merged with another keeps what they chose before."""
    with state.reading() as connection:
        return _stored(connection, ids)


def change(state: State, raw: Mapping[str, Any], *ids: str) -> tuple[Preferences, Preferences]:
    """Change some and leave the others, whatever else arrives meanwhile; returns what was preferred
    before and after. Raises `Refused`."""
    with state.writing() as connection:
        before = _stored(connection, ids)
        after = parse({**before.as_dict(), **raw})
        _store(connection, after, ids)
    return before, after


def _stored(connection: sa.Connection, ids: tuple[str, ...]) -> Preferences:
    columns = [PREFERENCES.c[name] for name in NAMES]
    statement = sa.select(PREFERENCES.c.user, *columns).where(PREFERENCES.c.user.in_(ids))
    found = {user: Preferences(*row) for user, *row in connection.execute(statement)}
    return next((found[one] for one in ids if one in found), Preferences())


def write(state: State, preferred: Preferences, *ids: str) -> None:
    """Keep these instead of what this person preferred before."""
    with state.writing() as connection:
        _store(connection, preferred, ids)


def _store(connection: sa.Connection, preferred: Preferences, ids: tuple[str, ...]) -> None:
    """Under the first id; where there are others, "no preference" is said and not left open."""
    user, *others = ids
    connection.execute(PREFERENCES.delete().where(PREFERENCES.c.user == user))
    if preferred != Preferences() or others:
        row = {"user": user, **preferred.as_dict()}
        connection.execute(PREFERENCES.insert().values(row))
