"""What is asked before it is posted: figures and dates that are mostly a slip. Confirmed, it is posted as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Problem, Refused, Severity
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
