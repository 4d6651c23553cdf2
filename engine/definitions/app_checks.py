"""Cross-reference checks of ``app.yaml``: what its menu, cards, hotkeys and dimensions point at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.definitions.app import AppDef, MenuItem
from engine.definitions.file_kinds import APP
from engine.definitions.load import Loaded
from engine.definitions.pages import PLACES
from engine.definitions.reading import Place
from engine.definitions.references import MASTER, complaint, unknown_form
from engine.problems import Problem

HOTKEY = re.compile(r"F([1-9]|1[0-2])|(Ctrl|Alt|Shift)\+(F([1-9]|1[0-2])|[A-Z0-9]|Enter)")


def app_can_be_reached(loaded: Loaded) -> Iterator[Problem]:
    """The app's key is part of addresses and takes no name that means something else there."""
    if _app(loaded).app in PLACES:
        yield complaint(loaded, _place(loaded, "app"), "definition.page_name", name=_app(loaded).app)


def dimension_forms_exist(loaded: Loaded) -> Iterator[Problem]:
    """The forms that play product, warehouse, supplier and customer exist and are master data."""
    for name, form in _app(loaded).dimensions.model_dump().items():
        yield from unknown_form(loaded, _place(loaded, "dimensions", name), form, MASTER)


def menu_items_lead_somewhere(loaded: Loaded) -> Iterator[Problem]:
    """A menu entry names one form or one page."""
    for group_index, group in enumerate(_app(loaded).menu):
        for index, item in enumerate(group.items):
            place = _place(loaded, "menu", group_index, "items", index)
            if not _one_target(item):
                yield complaint(loaded, place, "definition.menu_target")
            yield from unknown_form(loaded, place / "form", item.form)


def cards_count_known_forms(loaded: Loaded) -> Iterator[Problem]:
    """A home card counts the documents of a form that exists."""
    for index, card in enumerate(_app(loaded).cards):
        yield from unknown_form(loaded, _place(loaded, "cards", index, "form"), card.form)


def hotkeys_can_be_pressed(loaded: Loaded) -> Iterator[Problem]:
    """A hotkey is a function key, or a letter or digit with Ctrl, Alt or Shift, and does one thing."""
    for key, hotkey in _app(loaded).hotkeys.items():
        place = _place(loaded, "hotkeys", key)
        if not HOTKEY.fullmatch(key):
            yield complaint(loaded, place, "definition.bad_hotkey", key=True, name=key)
        if (hotkey.new is None) == (hotkey.page is None):
            yield complaint(loaded, place, "definition.hotkey_target", key=True, name=key)
        yield from unknown_form(loaded, place / "new", hotkey.new)


def _one_target(item: MenuItem) -> bool:
    return (item.form is None) != (item.page is None)


def _app(loaded: Loaded) -> AppDef:
    assert loaded.app is not None, "checks run on an app that was read"
    return loaded.app


def _place(loaded: Loaded, *path: str | int) -> Place:
    return Place(APP, _app(loaded).app, path)
