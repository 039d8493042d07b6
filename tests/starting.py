"""What every application of a process does again at its start, done once for all of the tests'.

Together it was two thirds of a start: how the address of each route is built was compiled, every
installed package was looked through for what adds to Dash, and before its first answer Dash drew
the page to look for ids that stand twice in it, and its callbacks through for circles. Servers the
tests start for a browser do all of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from dash import Dash, _validate, html
from dash._hooks import HooksManager
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


def start_fast(patch: pytest.MonkeyPatch) -> None:
    """Have applications start in half the time."""
    compile_builder: Callable[..., Any] = Rule._compile_builder
    builders: dict[tuple[str, bool], Callable[..., Any]] = {}

    def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        # It is of an address and its defaults alone, and is given the rule it is bound to.
        key = repr((rule._trace, rule.defaults)), append_unknown
        if key not in builders:
            builders[key] = compile_builder(rule, append_unknown)
        return builders[key]

    patch.setattr(Rule, "_compile_builder", builder)
    set_up = Dash._setup_server

    def setup(app: Dash) -> None:
        with pytest.MonkeyPatch.context() as unchecked:
            unchecked.setattr(app, "_layout_value", html.Div)
            unchecked.setattr(_validate, "validate_background_callbacks", lambda callbacks: None)
            set_up(app)

    patch.setattr(Dash, "_setup_server", setup)
    HooksManager.register_setuptools()
    patch.setattr(HooksManager, "_registered", True)
    _share_compiled(patch)


def _share_compiled(patch: pytest.MonkeyPatch) -> None:
    """Have every store use the statements that one like it has compiled."""
    create = sa.create_engine
    statements = LRUCache[Any, Any](10_000)

    def created(*arguments: Any, **options: Any) -> sa.Engine:
        engine = create(*arguments, **options)
        engine._compiled_cache = statements
        return engine

    patch.setattr(sa, "create_engine", created)
    patch.setattr(DefaultDialect, "__eq__", lambda one, other: type(one) is type(other))
    patch.setattr(DefaultDialect, "__hash__", lambda one: hash(type(one)))
