"""Two ids said to be different persons, over HTTP; aliases are `callbacks/settings/people.py`'s."""

from __future__ import annotations

from flask import Flask

from callbacks.api.parameters import json_object, only
from callbacks.settings.people import NO_ALIAS, PATH, TOO_LARGE
from callbacks.settings.resource import LARGEST_BODY, Stores, context
from data.people.aliases import dismiss


def attach(server: Flask, stores: Stores) -> None:
    """Route it on a server."""

    @server.post(f"{PATH}/dismissed")
    def dismiss_alias() -> tuple[str, int]:
        only(())
        asking = context(stores)
        dismiss(asking.state, asking.actor, json_object(LARGEST_BODY, TOO_LARGE, NO_ALIAS))
        return "", 204
