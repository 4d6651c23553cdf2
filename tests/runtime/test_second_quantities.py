"""Catch weight goods: a count of both quantities asks the books of a past moment, and only of goods that have two."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.expressions.ledger_functions import aux_at, aux_share
from engine.expressions.types import Row

PLACE = Row(21, {})
KEY = (21, 0, "L1", "", "")


def goods(**figures: object) -> Row:
    """A product that carries these figures."""
    return Row(1, {f"${name}": value for name, value in figures.items()})


def test_what_was_posted_after_the_moment_is_taken_off():
    moved = ((datetime(2026, 3, 2, 12), KEY, Decimal(-3)),)
    carried = goods(aux_at=({KEY: Decimal(9)}, moved))
    before, after = datetime(2026, 3, 2, 11), datetime(2026, 3, 2, 13)
    assert aux_at(carried, PLACE, before, None, "L1", None, None) == 12
    assert aux_at(carried, PLACE, after, None, "L1", None, None) == 9
    assert aux_at(carried, PLACE, after, None, None, None, "ok") == 0


def test_all_that_is_there_has_all_of_the_second_quantity():
    carried = goods(aux_share={KEY: (Decimal("41.2"), Decimal(7))})
    assert aux_share(carried, PLACE, Decimal("41.2"), None, "L1", None, None) == 7
    assert aux_share(carried, PLACE, Decimal("0.1"), None, "L1", None, None) == Decimal("0.016990")


def test_of_nothing_no_share_is_proposed():
    empty = goods(aux_share={KEY: (Decimal(0), Decimal(1))})
    assert aux_share(empty, PLACE, Decimal(1), None, "L1", None, None) is None
    assert aux_share(empty, PLACE, Decimal(1), None, "L2", None, None) is None
    assert aux_share(empty, PLACE, None, None, "L1", None, None) is None
