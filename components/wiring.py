"""What a page is held together by: values, its address, links, questions (`assets/wiring.js`).

Dash's own come in a file of 350 kB, and tell every other component what nobody here asks: when."""

from __future__ import annotations

from typing import ClassVar

from components.own import OwnComponent


class Store(OwnComponent):
    """A value, `data`. One whose `storage_type` is `local` outlives the page."""

    _type: ClassVar[str] = "Store"
    _prop_names: ClassVar[list[str]] = ["id", "data", "storage_type"]
    available_properties: ClassVar[list[str]] = _prop_names


class Location(OwnComponent):
    """The address: written by who reads the page, or by callbacks."""

    _type: ClassVar[str] = "Location"
    _prop_names: ClassVar[list[str]] = ["id", "pathname", "search"]
    available_properties: ClassVar[list[str]] = _prop_names


class Link(OwnComponent):
    """The way to another address, without loading the page."""

    _type: ClassVar[str] = "Link"
    _prop_names: ClassVar[list[str]] = ["id", "children", "href", "className", "title"]
    available_properties: ClassVar[list[str]] = _prop_names


class Confirmation(OwnComponent):
    """A question of the browser's own, asked as soon as it is `displayed`; each yes counts up
    `submit_n_clicks`."""

    _type: ClassVar[str] = "Confirmation"
    _prop_names: ClassVar[list[str]] = ["id", "displayed", "message", "submit_n_clicks"]
    available_properties: ClassVar[list[str]] = _prop_names
