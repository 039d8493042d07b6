"""The first account, through the one-time link that a start without accounts prints."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from flask_wtf.csrf import generate_csrf

from callbacks.access.gate import SIGN_IN
from callbacks.access.pages import notice, page
from callbacks.access.session import Authenticator, account_person, begin
from data.errors import Refused, Stranger


def link(token: str, host: str, port: int) -> str:
    """The address to print at the start."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/setup?token={token}"


def set_up(desk: Authenticator) -> Any:
    """The form of the one-time link; or, filled in, the app with its first account signed in."""
    token = request.values.get("token", "")
    if not desk.takes_passwords or not desk.state.is_setup_token(token):
        return _gone()
    return _form(token) if request.method != "POST" else _filled_in(desk, token)


def _filled_in(desk: Authenticator, token: str) -> Any:
    user, name, password, email = (
        request.form.get(field, "") for field in ("user", "name", "password", "email")
    )
    try:
        account = desk.state.use_setup_token(token, user, name, password, email.strip() or None)
    except Stranger:
        return _gone()
    except Refused as refusal:
        return _form(token, str(refusal), refusal.parameter), refusal.status
    begin(account_person(account))
    return redirect("/", 303)


def _form(token: str, error: str = "", parameter: str = "") -> str:
    said = {field: request.form.get(field, "") for field in ("user", "name", "email")}
    return page(
        "setup", token=token, csrf=generate_csrf(), error=error, parameter=parameter, values=said
    )


def _gone() -> Any:
    sentence = "It was used already, or a later start printed another one: open the newest."
    return notice("This link no longer works", sentence, SIGN_IN), Stranger.status
