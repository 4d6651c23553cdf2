"""The plan of the demo company holds together: it can be replayed without ever asking for what is not there."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import pytest

from runtime.demo.company import Fate, Movement, Order, Plan
from runtime.demo.people import DEPARTMENTS, PEOPLE
from runtime.demo.plan import plan, total_with_tax
from runtime.demo.replay import timeline
from runtime.demo.source import table

TODAY = date(2026, 1, 15)


@pytest.fixture(scope="module")
def company() -> Plan:
    return plan(lru_cache(table), TODAY, 500, 1000)


def of_kind(company: Plan, kind: str) -> list[Order]:
    return [order for order in company.orders if order.kind == kind]


def test_it_has_the_promised_number_of_orders_and_ends_yesterday(company: Plan) -> None:
    assert len(of_kind(company, "purchase_order")) == 500
    assert len(of_kind(company, "sales_order")) == 1000
    for kind in ("purchase_order", "sales_order"):
        assert max(order.day for order in of_kind(company, kind)) == TODAY - timedelta(days=1)
    assert all(company.opening_day < order.day for order in company.orders)


def test_the_full_company_is_the_whole_of_the_data() -> None:
    company = plan(lru_cache(table), TODAY, 1, 1, full=True)
    assert len(of_kind(company, "purchase_order")) == 4012
    assert len(of_kind(company, "sales_order")) == 25162
    assert [each for each in company.movements if each.kind == "other_receipt"]


def test_every_code_an_order_names_is_a_master_record(company: Plan) -> None:
    codes: dict[str, set[str]] = {}
    for form, rows in company.masters:
        found = [row.get("code") or row["name"] for row in rows]
        codes.setdefault(form, set()).update(found)
        assert len(found) == len(set(found)), form
    for order in company.orders:
        partner = "supplier" if order.kind == "purchase_order" else "customer"
        assert order.partner in codes[partner]
        assert order.warehouse in codes["warehouse"]
        assert {line.product for line in order.lines} <= codes["product"]
    assert {row["lines.product"] for row in company.opening} <= codes["product"]
    assert {row["warehouse"] for row in company.opening} <= codes["warehouse"]


@pytest.mark.parametrize("full", [False, True])
def test_day_by_day_nothing_is_promised_or_shipped_that_is_not_there(full: bool) -> None:
    company = plan(lru_cache(table), TODAY, 500, 1000, full=full)
    free: Counter[tuple[str, str]] = Counter()
    for row in company.opening:
        free[row["lines.product"], row["warehouse"]] += int(row["lines.qty"])
    for act in timeline(company):
        what = act.what
        if isinstance(what, Movement):
            for product, quantity in what.lines:
                if what.source:
                    free[product, what.source] -= int(quantity)
                    assert free[product, what.source] >= 0
                free[product, what.target] += int(quantity)
        elif what.kind == "sales_order" and not act.execution:
            for each in what.executed:  # reserved the moment the order is approved
                key = what.lines[each.line].product, what.warehouse
                free[key] -= int(each.quantity)
                assert free[key] >= 0


def test_what_is_executed_stays_within_the_order(company: Plan) -> None:
    for order in company.orders:
        assert (order.executed_on is None) == (not order.executed)
        if order.executed_on is not None:
            assert order.fate is Fate.APPROVED and order.day <= order.executed_on < TODAY
        for each in order.executed:
            assert Decimal(0) < each.quantity <= order.lines[each.line].quantity * Decimal("1.05")


def test_the_company_is_worth_looking_at(company: Plan) -> None:
    fates = Counter((order.kind, order.fate) for order in company.orders)
    assert all(fates["purchase_order", fate] for fate in (Fate.PENDING, Fate.REJECTED, Fate.APPROVED))
    assert fates["sales_order", Fate.DRAFT]
    assert any(each.rejected for order in company.orders for each in order.executed)
    assert any(total_with_tax(order.lines) > 50_000 for order in of_kind(company, "purchase_order"))
    assert {person.department for person in PEOPLE} <= set(DEPARTMENTS)
