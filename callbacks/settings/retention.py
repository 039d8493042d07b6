"""Settings → Data: for how long events are kept; over HTTP, too."""

from __future__ import annotations

from typing import Any, Final

from callbacks.settings.resource import Context, Found, Resource, Route
from components.settings.retention import CARD
from data.ingest.retention import (
    Rule,
    add_rule,
    list_rules,
    remove_rule,
    require_platform_reader,
)
from data.local_time import iso


def _read(context: Context) -> Found[Rule]:
    return Found(list_rules(context.state, context.scope, context.store, context.actor.now))


def rule_as_dict(one: Rule) -> dict[str, Any]:
    """A rule as JSON, with how many events are older now, and when it works from."""
    return {"id": one.id} | one.as_dict() | {
        "older": one.older, "from": iso(one.starts), "who": one.who,
    }  # fmt: skip


RETENTION: Final[Resource[Rule]] = Resource(
    CARD,
    allow=require_platform_reader,
    read=_read,
    create=lambda context, values: add_rule(context.state, context.actor, values),
    remove=lambda context, number: remove_rule(context.state, context.actor, number),
    route=Route("/api/v1/retention", "rules", rule_as_dict),
)
