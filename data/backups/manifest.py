"""What a backup says of itself: when it was made, and per source how many events, tokens and how
much money are in it. Whoever restores it counts again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from data.engines.protocol import read_totals
from data.engines.totals import Totals
from data.errors import Refused, StoreError
from data.local_time import iso
from data.state.sqlite import require_sound_file

EVENTS: Final = "events.duckdb"
STATE: Final = "state.sqlite"
SECRET: Final = "secret_key"  # noqa: S105  # a file's name
MANIFEST: Final = "manifest.json"
FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's own words; `made` is µs UTC."""

    made: int
    sources: Mapping[str, Totals]

    def as_dict(self) -> dict[str, Any]:
        sources = {name: one._asdict() for name, one in sorted(self.sources.items())}
        return {"form": FORM, "made": iso(self.made), "made_us": self.made, "sources": sources}

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """The manifest of an object; raises `KeyError`, `TypeError` or `ValueError` for others."""
        if raw["form"] != FORM:
            raise ValueError(raw["form"])
        sources = {str(name): Totals(**one) for name, one in raw["sources"].items()}
        return cls(int(raw["made_us"]), sources)

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def lines(self) -> list[str]:
        """Its totals, a line a source."""
        return [f"{name}: {one}" for name, one in sorted(self.sources.items())] or ["no events"]


def verified(folder: Path) -> Manifest:
    """The manifest of a backup that holds what it says; raises `Refused` for a folder that is
    none, `StoreError` for one that is damaged or says something else."""
    try:
        manifest = Manifest.of(json.loads((folder / MANIFEST).read_text()))
    except OSError:
        raise Refused("folder", f"{folder} holds no backup: it has no {MANIFEST}") from None
    except (KeyError, TypeError, ValueError):
        raise Refused("folder", f"{folder / MANIFEST} is no manifest of a backup") from None
    for name in (EVENTS, STATE):
        if not (folder / name).is_file():
            raise StoreError(f"the backup {folder} is not whole: it has no {name}")
    if why := differ(manifest.sources, read_totals(folder / EVENTS)):
        raise StoreError(f"the backup {folder} does not hold what its manifest says: {why}")
    require_sound_file(folder / STATE)
    return manifest


def differ(before: Mapping[str, Totals], after: Mapping[str, Totals]) -> str:
    """The first source of which two counts differ, with both."""
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            return f"of {name} {before.get(name, 'nothing')}, not {after.get(name, 'nothing')}"
    return ""
