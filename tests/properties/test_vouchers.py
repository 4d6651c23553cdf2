"""Vouchers balance whatever the entries; gathering them differently books the same to every account."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.voucher import VoucherDef
from engine.values import ZERO
from engine.vouchers import Derived, Movement, derive
from runtime.bundles import bundle_in

GENERAL = bundle_in(Path(__file__).parents[2] / "templates_catalog" / "general")
CHARTS = tuple(GENERAL.vouchers.values())
KINDS = sorted(
    {
        (rule.ledger, move, rule.element or "")
        for chart in CHARTS
        for rule in chart.rules
        for move in rule.moves or ("x",)
    }
)
MOVEMENTS = st.lists(
    st.builds(
        lambda kind, cancelled, category, cents, document, day, partner: Movement(
            ledger=kind[0],
            move=kind[1] + ("_cancel" if cancelled else ""),
            element=kind[2],
            category=category,
            value=Decimal(cents).scaleb(-2),
            form="paper",
            document=document,
            day=date(2026, 1, 1) + timedelta(day),
            partner=partner,
        ),
        st.sampled_from(KINDS),
        st.booleans(),
        st.sampled_from(["", "raw", "finished", "cash", "bank"]),
        st.integers(-(10**9), 10**9),
        st.integers(1, 4),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=30,
)


def _by_account(derived: Derived) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for voucher in derived.vouchers:
        for line in voucher.lines:
            sums[line.account] += line.debit - line.credit
    return {account: amount for account, amount in sums.items() if amount}


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.voucher)
@given(movements=MOVEMENTS)
def test_vouchers_balance(chart: VoucherDef, movements: list[Movement]) -> None:
    seen = []
    for gathered in ("document", "day", "period"):
        derived = derive(chart, movements, gathered)
        assert all(voucher.debit == voucher.credit for voucher in derived.vouchers)
        assert all(bool(line.debit) is not bool(line.credit) for one in derived.vouchers for line in one.lines)
        seen.append((_by_account(derived), derived.unmapped))
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.voucher)
@given(movements=MOVEMENTS)
def test_a_cancelled_document_leaves_no_voucher(chart: VoucherDef, movements: list[Movement]) -> None:
    mirrored = [
        Movement(
            ledger=one.ledger,
            move=one.move.removesuffix("_cancel") + "_cancel",
            element=one.element,
            category=one.category,
            value=-one.value,
            form=one.form,
            document=one.document,
            day=one.day,
            partner=one.partner,
        )
        for one in movements
    ]
    assert derive(chart, [*movements, *mirrored]).vouchers == ()


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.voucher)
def test_every_move_of_the_template_is_booked(chart: VoucherDef) -> None:
    """No posting of the template writes a valued entry that no rule is about."""
    for postings in GENERAL.postings.values():
        for posting in postings:
            for entry in posting.entries.get("approve", ()):
                definition = entry.definition
                moves = Movement(
                    ledger=definition.ledger, move=definition.move, element="", category="", value=Decimal(1),
                    form=posting.definition.form, document=1, day=date(2026, 1, 1),
                )  # fmt: skip
                assert derive(chart, [moves]).unmapped == (), (definition.ledger, definition.move)


def test_negative_amounts_swap_sides_when_asked() -> None:
    chart = CHARTS[0].model_copy(update={"negative": "swap"})
    back = Movement(
        ledger="receivable", move="sale_return", element="", category="", value=Decimal(-7), form="paper", document=1,
        day=date(2026, 1, 1), partner=3,
    )  # fmt: skip
    lines = derive(chart, [back]).vouchers[0].lines
    assert [(line.account[:1] != "1", line.debit, line.credit) for line in lines] == [
        (True, Decimal(7), ZERO),
        (False, ZERO, Decimal(7)),
    ]
