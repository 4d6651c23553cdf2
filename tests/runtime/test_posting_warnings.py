"""What is asked before it is posted: figures and dates that are mostly a slip. Confirmed, it is posted as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Problem, Refused, Severity
from runtime.facade import stock
from runtime.facade.door import Door
from tests.houses import CATALOG, Home, do, furnished, make_home


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Home:
    return make_home(tmp_path, CATALOG / "general", None if database_url.startswith("sqlite") else database_url)


def asked(door: Door, form: str, data: dict[str, object]) -> list[Problem]:
    """What has to be confirmed before ``data`` is approved; then it is."""
    with pytest.raises(Refused) as refused:
        do(door, form, "approve", data)
    assert {one.severity for one in refused.value.problems} == {Severity.WARNING}
    done = do(door, form, "approve", data, confirmed=True)
    assert done.warnings == refused.value.problems, "what was confirmed is told once more"
    return list(refused.value.problems)


def received(**values: object) -> dict[str, object]:
    return {"warehouse": "W1", "lines": [{"product": "A032", "qty": 1, "cost_price": "3.47"}], **values}


def test_an_adjustment_beyond_the_value_of_stock_names_both_figures(home: Home) -> None:
    door = furnished(home)
    do(door, "other_receipt", "approve", received())
    adjustment = {"warehouse": "W1", "lines": [{"product": "A032", "value": -100}]}
    (one,) = asked(door, "cost_adjustment", adjustment)
    assert (one.code, one.where) == ("ledger.beyond_worth", "lines.1")
    assert door.house.catalogue.text(one, "zh")[0] == (
        "调整 -100，那一天的库存金额只能调 3.47，其余 -96.53 进成本差异。"
    )
    assert door.house.catalogue.text(one, "en")[0] == (
        "Of the adjustment of -100 the stock value of that day can take 3.47; the rest, -96.53, becomes a variance."
    )


@pytest.mark.parametrize(
    ("day", "code", "zh", "en"),
    [
        ("2026-02-06", "document.date_far_ahead", "在今天之后 32 天", "32 days after today"),
        ("2025-01-03", "document.date_long_ago", "在今天之前 367 天", "367 days before today"),
    ],
)
def test_a_date_far_from_today_is_asked_about(home: Home, day: str, code: str, zh: str, en: str) -> None:
    door = furnished(home)
    (one,) = asked(door, "other_receipt", received(biz_date=day))
    assert (one.code, one.where) == (code, "biz_date")
    assert zh in door.house.catalogue.text(one, "zh")[0]
    assert en in door.house.catalogue.text(one, "en")[0]


@pytest.mark.parametrize("day", ["2026-02-05", "2025-01-04"])
def test_a_date_near_enough_is_not(home: Home, day: str) -> None:
    door = furnished(home)
    assert do(door, "other_receipt", "approve", received(biz_date=day)).warnings == ()


def weighed(home: Home) -> Door:
    """52.4 kg of fish in 10 pieces in one warehouse, of a product that is kept by both."""
    door = furnished(home)
    for name in ("公斤", "条"):
        do(door, "unit", "save", {"name": name})
    fish = {
        "code": "F01",
        "name": "三文鱼",
        "category": "C1",
        "base_unit": "公斤",
        "catch_weight": True,
        "aux_unit": "条",
    }
    do(door, "product", "save", {**fish, "aux_rate": "5", "aux_tolerance": "100"})
    do(door, "other_receipt", "approve", fish_lines("52.4", "10", cost_price="3"), confirmed=True)
    return door


def fish_lines(qty: str, aux: str, **more: str) -> dict[str, object]:
    return {"warehouse": "W1", "lines": [{"product": "F01", "qty": qty, "aux_qty": aux, **more}]}


@pytest.mark.parametrize(
    ("qty", "aux", "code", "zh", "en"),
    [
        ("52.4", "9", "ledger.pieces_left", "三文鱼（主仓）出完了，辅助数量还剩 1。", "1 of its second quantity stays"),
        ("50", "10", "ledger.weight_left", "的辅助数量出完了，数量还剩 2.4。", "but 2.4 of the quantity stays"),
        ("50", "12", "ledger.pieces_negative", "的辅助数量不够，还差 2。", "falls short by 2"),
    ],
)
def test_two_quantities_that_do_not_end_together_are_asked_about(
    home: Home, qty: str, aux: str, code: str, zh: str, en: str
) -> None:
    door = weighed(home)
    (one,) = asked(door, "other_issue", fish_lines(qty, aux))
    assert (one.code, one.where) == (code, "lines.1")
    assert zh in door.house.catalogue.text(one, "zh")[0]
    assert en in door.house.catalogue.text(one, "en")[0]


def test_two_quantities_that_go_together_are_not(home: Home) -> None:
    door = weighed(home)
    assert do(door, "other_issue", "approve", fish_lines("20", "4")).warnings == ()
    assert do(door, "other_issue", "approve", fish_lines("32.4", "6")).warnings == ()


def test_what_a_count_found_is_posted_without_a_question(home: Home) -> None:
    """The loss is made and approved by the house, which nobody can ask."""
    door = weighed(home)
    line = {"product": "F01", "count_qty": "3", "count_aux": "0", "cause": "loss"}
    do(door, "stocktake", "approve", {"warehouse": "W1", "type": "spot", "lines": [line]}, confirmed=True)
    home.jobs.drain()
    (level,) = stock.levels(door, search="三文鱼").rows
    left = stock.whole_balance(door, "stock", {"product": level.product, "warehouse": level.warehouse})
    assert (left.quantity, left.aux) == (3, 0)
