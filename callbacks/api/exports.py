"""Files that leave: each is in the audit trail before it is sent, but for the demo's visitors."""

from __future__ import annotations

from callbacks.access import trail
from callbacks.access.session import current_actor, current_authenticator, current_person
from data.errors import Forbidden


def note_export(file: str) -> None:
    """Say who gets a file, now; where that cannot be written down, nobody gets it."""
    grants = current_person().grants
    if grants is not None and "export" not in grants:
        raise Forbidden("this API token is not for export: make another")
    if not current_person().is_demo:
        authenticator = current_authenticator()
        trail.exported(authenticator.state, current_actor(authenticator.settings), file)
