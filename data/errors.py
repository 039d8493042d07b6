"""Every error a reader can meet, drawn once:

SpendscopeError            one clear sentence; anything else that is raised is a bug
├── SettingsError          a setting is wrong: the start stops
├── Refused                what was asked for cannot be asked      → 400, naming the parameter
│   ├── Unknown            no such section, tab or address         → 404
│   ├── TooLarge           more than is taken at once              → 413
│   └── Unsupported        sent in a way that is not understood    → 415
├── Stranger               nobody is signed in, or the token is bad → 401
│   └── Lapsed             nothing is said against them, but nothing can be asked → 401
├── Forbidden              signed in, but not for this door        → 403
├── TooMany                more than is answered at once           → 429, and when to ask again
├── SourceError            a file or body cannot be read at all
├── EventError             one record is no event: rejected, the rest goes on
├── StoreError             a store cannot be used now             → 503, to be tried again
└── Away                   the identity provider does not answer  → 503, likewise
    └── DamagedStore       what is in its file cannot be read: a backup helps
"""

from __future__ import annotations

from typing import Any


class SpendscopeError(Exception):
    """Base of the tree; `str(error)` is the sentence shown to the reader."""

    code = "error"
    status = 500
    parameter = ""  # the field or parameter that it is about, where it is about one


class SettingsError(SpendscopeError):
    """A setting is wrong or contradicts another; names the setting."""

    code = "bad_setting"


class Refused(SpendscopeError):
    """A parameter is not acceptable; `parameter` names it for the control beside it."""

    code = "bad_parameter"
    status = 400

    def __init__(self, parameter: str, sentence: str) -> None:
        super().__init__(sentence)
        self.parameter = parameter

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.parameter, str(self))


class Unknown(Refused):
    """An address that leads nowhere."""

    code = "unknown"
    status = 404


class TooLarge(Refused):
    """A body with more in it than is taken at once; in parts it would be."""

    code = "too_large"
    status = 413


class Unsupported(Refused):
    """A body of a type or encoding that this door does not read."""

    code = "unsupported"
    status = 415


class Stranger(SpendscopeError):
    """No session and no valid token."""

    code = "not_signed_in"
    status = 401


class Lapsed(Stranger):
    """A session is over, though its identity provider has said nothing against who it is of."""


class Forbidden(SpendscopeError):
    """A known person, at a door that is not theirs."""

    code = "forbidden"
    status = 403

    def __init__(self, sentence: str, parameter: str = "") -> None:
        super().__init__(sentence)
        self.parameter = parameter


class TooMany(SpendscopeError):
    """Asked too often, or by too many at once; `seconds` from now it is worth another try."""

    code = "too_many"
    status = 429

    def __init__(self, sentence: str, seconds: int, parameter: str = "") -> None:
        super().__init__(sentence)
        self.seconds = seconds
        self.parameter = parameter


class SourceError(SpendscopeError):
    """Nothing of this input could be read."""

    code = "bad_source"
    status = 400


class EventError(SpendscopeError):
    """One record is no event; the sentence is the rejection's reason."""

    code = "bad_event"
    status = 400


class StoreError(SpendscopeError):
    """The store is busy, newer than this program, or not reachable."""

    code = "store_unavailable"
    status = 503


class DamagedStore(StoreError):
    """What is in the store's file cannot be read: only a backup helps."""


class Away(SpendscopeError):
    """The identity provider does not answer, and what it would say is needed."""

    code = "provider_away"
    status = 503


def excerpt(value: object) -> str:
    """What somebody wrote as a sentence quotes it, cut where it is long."""
    return repr(str(value)[:40])
