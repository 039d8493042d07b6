"""Settings → Data: the sources there are, the imports there were, over HTTP, too; the upload is
the browser's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from callbacks.access.demo import why_closed
from callbacks.access.site import public_site
from callbacks.settings.resource import Context, Found, Page, Resource, Route
from callbacks.settings.retention import RETENTION
from components.settings.connect import connect
from components.settings.imports import (
    IMPORTS,
    RELOAD,
    SOURCES,
    import_detail,
    source_detail,
    upload,
)
from components.settings.resource import Row
from data.events.money import NANO
from data.ingest.import_log import Import, list_imports, require_platform_reader
from data.ingest.sources import Source, detail, sources
from data.local_time import iso
from data.sources import formats


def _sources(context: Context) -> Found[Source]:
    context.stores.tally.flush()
    return Found(sources(context.state, context.scope, context.store))


def _source_detail(context: Context, row: Row) -> str:
    name = str(row["name"])
    return source_detail(name, detail(context.state, context.scope, context.store, name))


def _imports(context: Context) -> Found[Import]:
    context.stores.tally.flush()
    return Found(list_imports(context.state, context.scope, context.limit or 100, context.offset))


def _is_demo(context: Context) -> bool:
    """Whether the first real event ends what the reader may be signed in by."""
    return why_closed(context.stores.settings, context.state, context.store) is None


def _ways_in(context: Context) -> list[Any]:
    """What brings data in, for whoever may."""
    known = {name: one.label for name, one in formats().items()}
    return [connect(public_site(), _is_demo(context)), upload(known)]


def import_as_dict(one: Import) -> dict[str, Any]:
    """An import as JSON: instants ISO 8601, money in US dollars."""
    fields = asdict(one)
    fields["cost"] = fields.pop("cost_nano") / NANO
    return fields | {name: iso(fields[name]) for name in ("at", "last")}


PAGE: Final = Page(
    "data",
    "Data",
    (
        Resource(
            SOURCES, allow=require_platform_reader, read=_sources, detail=_source_detail,
            actions={RELOAD: lambda _, row: row},
        ),
        RETENTION,
        Resource(
            IMPORTS, allow=require_platform_reader, read=_imports,
            row=lambda one, _: {"detail": import_detail(one)},
            route=Route(
                "/api/v1/imports", "imports", import_as_dict,
                page={"limit": (50, 1, 500), "offset": (0, 0, 10**9)},
            ),
        ),
    ),
    before=lambda context: _ways_in(context) if context.scope.manages_platform else [],
)  # fmt: skip
