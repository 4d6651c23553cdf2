"""The filter of a link holds at every door: look-ups leave out what it excludes, submission refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import lists
from runtime.facade.door import Door
from runtime.facade.list_views import ListRequest
from tests.houses import codes, do, make_home

APP = {
    "app.yaml": "app: picks\nversion: 1.0.0\nlabel: {zh: 选, en: Picks}\n",
    "forms/shelf.yaml": """
form: shelf
kind: master
label: {zh: 货架, en: Shelf}
display: "{name}"
search: [name]
fields:
  name: {type: text, required: true, label: {zh: 名称, en: Name}}
  cold: {type: boolean, label: {zh: 冷藏, en: Cold}}
  room: {type: text, label: {zh: 房间, en: Room}}
""",
    "forms/putaway.yaml": """
form: putaway
label: {zh: 上架, en: Putaway}
number: "P{seq:4}"
fields:
  room: {type: text, label: {zh: 房间, en: Room}}
  shelf: {type: link, to: shelf, filter: "cold == true", label: {zh: 货架, en: Shelf}}
  lines:
    type: lines
    label: {zh: 明细, en: Lines}
    fields:
      room: {type: text, label: {zh: 房间, en: Room}}
      shelf: {type: link, to: shelf, filter: "room == row.room", label: {zh: 货架, en: Shelf}}
""",
    "roles/clerk.yaml": """
role: clerk
label: {zh: 文员, en: Clerk}
grants:
  - {forms: [shelf, putaway], actions: [read, create, update]}
""",
}


@pytest.fixture
def door(tmp_path: Path) -> Door:
    for name, text in APP.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("== true", "== True"), "utf-8")
    return make_home(tmp_path / "data", tmp_path / "app").everybody()


def test_a_filtered_link(door: Door) -> None:
    do(door, "shelf", "save", {"name": "A1", "cold": True, "room": "north"})
    do(door, "shelf", "save", {"name": "B1", "cold": False, "room": "south"})
    assert [hit.text for hit in lists.look_up(door, "shelf", "", link=("putaway", "shelf"))] == ["A1"]
    assert len(lists.look_up(door, "shelf", "", link=("putaway", "lines.shelf"))) == 2
    do(door, "putaway", "save", {"shelf": "A1", "lines": [{"room": "south", "shelf": "B1"}]})
    with pytest.raises(Refused) as refused:
        do(door, "putaway", "save", {"shelf": "B1", "lines": [{"room": "north", "shelf": "B1"}]})
    assert codes(refused.value) == ["link.filtered", "link.filtered"]
    assert [one.where for one in refused.value.problems] == ["shelf", "lines.1.shelf"]


@pytest.mark.parametrize("raw", ["²", "9" * 30, "1" * 5000, "-1"])
def test_a_link_is_not_found_under_what_is_no_id(door: Door, raw: str) -> None:
    for request in (ListRequest(filters=(("shelf", "eq", raw),)), ListRequest(view=f"card:{raw}")):
        with pytest.raises(Refused) as refused:
            lists.page(door, "putaway", request)
        assert refused.value.kind == "invalid"
