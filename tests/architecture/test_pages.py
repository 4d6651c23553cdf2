"""No form or app can take the address of a page: the names the definitions keep free are those the web side serves."""

from __future__ import annotations

from typing import get_args

from engine.definitions.app import Hotkey, MenuItem
from engine.definitions.pages import PAGES, PLACES
from runtime.web.routes import all_routes


def names_below(prefix: str) -> set[str]:
    """The first part of every address below ``prefix``, placeholders left out."""
    paths = [route.path for router in all_routes() for route in router.routes]
    found = {path.removeprefix(prefix).split("/")[0] for path in paths if path.startswith(prefix)}
    return {name for name in found if name and not name.startswith("{")}


def test_every_page_of_an_app_has_a_name_no_form_can_take() -> None:
    served = names_below("/w/{workspace}/{app}/")
    assert {"stock", "tasks", "settings"} <= served
    assert served - PAGES == set()


def test_every_place_of_a_workspace_has_a_name_no_app_can_take() -> None:
    served = names_below("/w/{workspace}/")
    assert "login" in served
    assert served - PLACES == set()


def test_menus_and_hotkeys_lead_to_such_pages() -> None:
    for model in (MenuItem, Hotkey):
        kinds = get_args(model.model_fields["page"].annotation)
        named = {name for kind in kinds for name in get_args(kind)}
        assert named
        assert named - PAGES == set()
