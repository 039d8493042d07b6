"""Settings → Prices: the releases of the public book, each from a day on, over HTTP, too."""

from __future__ import annotations

from typing import Final

from callbacks.settings.resource import Context, Found, Opening, Resource, Route
from components.settings.public_releases import CARD, moved, row
from components.settings.resource import Row
from data.prices.own import require_platform_admin
from data.prices.releases import StoredRelease, list_releases, move


def _opening(_: Context, _button: str, row: Row) -> Opening:
    """The day from which the chosen one holds; that of the first is none to set."""
    return Opening("", row["id"], {"from": row["from"]}, fixed=row["first"] is not False)


RELEASES: Final[Resource[StoredRelease]] = Resource(
    CARD,
    allow=require_platform_admin,
    read=lambda asking: Found(list_releases(asking.state, asking.scope)),
    row=row,
    detail=lambda _, row: str(row["detail"]),
    change=lambda asking, number, values: move(asking.state, asking.actor, number, values),
    told=moved,
    opening=_opening,
    route=Route(
        "/api/v1/prices/releases",
        "releases",
        StoredRelease.as_dict,
        too_large="a price takes at most 16 KB",
        body="send an object with the fields of what you ask for",
    ),
)
