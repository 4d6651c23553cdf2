"""What choosing a record brings along: by a path over its own links, and of several the first that is not empty."""

from __future__ import annotations

import shutil
from pathlib import Path

from runtime.facade import documents
from tests.houses import do, make_home

TINY = Path(__file__).parent.parent / "apps" / "tiny"
CHANGES = {
    "product": ("  spec:", "  twin: {type: link, to: product, label: {zh: 替代品, en: Twin}}\n  spec:"),
    "stock_in": ("fills: {price: cost}", "fills: {price: [cost, twin.cost]}"),
}


def test_the_first_that_is_not_empty_is_filled_in(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(TINY, app)
    for form, (old, new) in CHANGES.items():
        file = app / "forms" / f"{form}.yaml"
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    door = make_home(tmp_path / "home", app).everybody()
    do(door, "warehouse", "save", {"code": "W1", "name": "主仓"})
    do(door, "product", "save", {"code": "P1", "name": "笔记本", "cost": 5})
    do(door, "product", "save", {"code": "P2", "name": "笔记本 A5", "twin": "P1"})
    do(door, "product", "save", {"code": "P3", "name": "信封"})
    do(door, "product", "save", {"code": "P4", "name": "信封 C5", "twin": "P3", "cost": 2})
    lines = [{"product": code, "qty": 1} for code in ("P1", "P2", "P3", "P4")]
    made = do(door, "stock_in", "save", {"warehouse": "W1", "lines": [*lines, {"product": "P2", "qty": 1, "price": 9}]})
    found = documents.read(door, "stock_in", made.document).lines["lines"]
    assert [line.cells["price"].value for line in found] == ["5", "5", None, "2", "9"]
