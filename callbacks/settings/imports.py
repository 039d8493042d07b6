"""Settings → Data: the sources there are, the imports there were; the upload is the browser's."""

from __future__ import annotations

from typing import Final

from callbacks.settings.resource import Context, Found, Page, Resource
from components.settings.imports import (
    IMPORTS,
    RELOAD,
    SOURCES,
    import_row,
    source_detail,
    source_row,
    upload,
)
from components.settings.resource import Row
from data.ingest.import_log import Import, list_imports, require_platform_admin
from data.ingest.sources import Source, detail, sources
from data.sources import formats


def _sources(asking: Context) -> Found[Source]:
    asking.stores.tally.flush()
    return Found(sources(asking.state, asking.scope, asking.store))


def _source_detail(asking: Context, row: Row) -> str:
    name = str(row["name"])
    return source_detail(name, detail(asking.state, asking.scope, asking.store, name))


def _imports(asking: Context) -> Found[Import]:
    asking.stores.tally.flush()
    return Found(list_imports(asking.state, asking.scope))


PAGE: Final = Page(
    "data",
    "Data",
    (
        Resource(
            SOURCES, allow=require_platform_admin, read=_sources, row=source_row,
            detail=_source_detail, actions={RELOAD: lambda _, row: row},
        ),
        Resource(
            IMPORTS, allow=require_platform_admin, read=_imports, row=import_row,
            detail=lambda _, row: str(row["detail"]),
        ),
    ),
    before=lambda: [upload({name: one.label for name, one in formats().items()})],
)  # fmt: skip
