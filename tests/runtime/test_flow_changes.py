"""A change that waits for agreement, as whoever decides on it and whoever typed it read it."""

from __future__ import annotations

from pathlib import Path

from runtime.facade.flow_changes import proposed_view
from tests.runtime.flow_house import do, firm
from tests.runtime.test_flow_acts import CHANGE


def test_what_waits_is_told_field_by_field(tmp_path: Path, house_url: str | None) -> None:
    made = firm(tmp_path, house_url, CHANGE)
    clerk, boss = made.door("clerk"), made.door("boss")
    record = do(clerk, "supplier", "save", {"code": "S1", "name": "甲"}).document
    assert proposed_view(clerk, "supplier", record) is None
    do(clerk, "supplier", "save", {"limit": "5000", "name": "乙"}, document=record)
    for door in (clerk, boss):
        view = proposed_view(door, "supplier", record)
        assert view is not None and not view.conflict and view.by == "clerk"
        told = {one.label: (one.before, one.after) for one in view.changes}
        assert ("甲", "乙") in told.values() and len(told) == 2
        assert any(before == "" and "5,000" in after for before, after in told.values())
    do(boss, "supplier", "approve", document=record)
    assert proposed_view(clerk, "supplier", record) is None
