"""Accounts as tests want them: made, and how their holders sign in."""

from __future__ import annotations

import re
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from data.access.scope import Scope
from data.state import account_changes
from data.state.accounts import Account
from data.state.audit import Actor
from data.state.store import State

AT: Final = 1_795_176_000_000_000  # 20 November 2026
ROOT: Final = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", AT)
PASSWORD: Final = "correct horse"


def add_account(
    state: State, user: str, name: str, password: str | None = PASSWORD, email: str | None = None,
    *, is_admin: bool = False, applications: Any = None, applications_admin: Any = None,
) -> Account:  # fmt: skip
    """A new account."""
    described = {
        "user": user, "name": name, "email": email, "isAdmin": is_admin,
        "applications": applications, "applications_admin": applications_admin,
    }  # fmt: skip
    return account_changes.add(state, ROOT, described, password)


def csrf_of(client: FlaskClient, path: str = "/sign-in") -> str:
    """The token of the form of a page."""
    page = client.get(path, headers={"Accept": "text/html"}).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def sign_in(client: FlaskClient, user: str, password: str = PASSWORD) -> TestResponse:
    """A try to sign in with a password."""
    form = {"csrf_token": csrf_of(client), "name": user, "password": password}
    return client.post("/sign-in", data=form)
