"""Settings → Data: the sources there are, the imports there were; the upload is the browser's."""

from __future__ import annotations

from typing import Final

from callbacks.settings.resource import Context, Found, Page, Resource
from components.settings.imports import (
    IMPORTS,
    RELOAD,
    SOURCES,
    import_detail,
    source_detail,
    upload,
)
from components.settings.resource import Row
from data.ingest.import_log import Import, list_imports, require_platform_admin
from data.ingest.sources import Source, detail, sources
from data.sources import formats


def _sources(context: Context) -> Found[Source]:
    context.stores.tally.flush()
    return Found(sources(context.state, context.scope, context.store))


def _source_detail(context: Context, row: Row) -> str:
    name = str(row["name"])
    return source_detail(name, detail(context.state, context.scope, context.store, name))


def _imports(context: Context) -> Found[Import]:
    context.stores.tally.flush()
    return Found(list_imports(context.state, context.scope))


PAGE: Final = Page(
    "data",
    "Data",
    (
        Resource(
            SOURCES, allow=require_platform_admin, read=_sources, detail=_source_detail,
            actions={RELOAD: lambda _, row: row},
        ),
        Resource(
            IMPORTS, allow=require_platform_admin, read=_imports,
            row=lambda one, _: {"detail": import_detail(one)},
        ),
    ),
    before=lambda: [upload({name: one.label for name, one in formats().items()})],
)  # fmt: skip
