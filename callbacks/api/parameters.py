"""The parameters of a request to the API: read once, each refusal one sentence."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from data.errors import Refused
from data.query.filters import (
    ABOUT,
    CONTAINING,
    EXCLUSIONS,
    LISTS,
    TIMES,
    Filters,
    operator_of,
    parse,
    read_choice,
)
from data.settings import Settings

LARGEST_KB: Final = 64
LARGEST_BODY: Final = LARGEST_KB * 1024


def filters_asked(settings: Settings, others: tuple[str, ...]) -> Filters:
    """The filters of this request, which may carry the `others` besides and nothing else."""
    only((*TIMES, *LISTS, *ABOUT, *others))
    arguments = {name: request.args.getlist(name) for name in request.args}
    return parse(read_choice(arguments), settings.now())


def only(names: tuple[str, ...]) -> None:
    """Refuse a parameter that is none of these."""
    for name in request.args:
        if name not in names:
            offered = ", ".join(one for one in names if not operator_of(one))
            also = "; also not_*" if EXCLUSIONS.keys() & names else ""
            also += ", contains_*" if CONTAINING.keys() & names else ""
            instead = f"use {offered}{also}" if offered else "none is taken here"
            raise Refused(name, f"there is no parameter {name[:40]!r}; {instead}")


def whole(name: str, default: int, least: int, most: int) -> int:
    """A whole number of this request, or its default."""
    text = request.args.get(name, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Refused(name, f"{name} must be a whole number from {least} to {most:,}")
    return int(text)


def order_asked() -> tuple[tuple[str, bool], ...]:
    """`order=-cost,model` as (name, descending)."""
    return tuple((name.removeprefix("-"), name.startswith("-")) for name in names_asked("order"))


def names_asked(parameter: str) -> tuple[str, ...]:
    parts = (part.strip() for part in request.args.get(parameter, "").split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def json_object(what: str) -> dict[str, Any]:
    """The object that the body of this request is, with the fields of `what`."""
    sentence = f"send an object with the fields of {what}"
    sent = json_body("body", LARGEST_BODY, f"{what} takes at most {LARGEST_KB} KB", sentence)
    if not isinstance(sent, dict):
        raise Refused("body", sentence)
    return sent


def json_body(parameter: str, largest: int, too_large: str, no_json: str) -> Any:
    """The JSON that the body of this request is; a refusal names the parameter."""
    request.max_content_length = largest
    try:
        return orjson.loads(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise Refused(parameter, too_large) from None
    except orjson.JSONDecodeError:
        raise Refused(parameter, no_json) from None
