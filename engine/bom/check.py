"""Whether a bill of material can be worked with, before it is approved. Every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from engine.bom.levels import arcs, cycle_problems, cycles, reachable
from engine.bom.structure import HUNDRED, NO_NAMES, Bom, Names, effective
from engine.problems import Problem, problem
from engine.values import ZERO


def check(bom: Bom) -> tuple[Problem, ...]:
    """What is wrong with ``bom`` by itself. Lines are counted from 1: ``components.2.loss``, ``byproducts.1.share``."""
    return (*_header(bom), *_components(bom), *_byproducts(bom))


def check_among(bom: Bom, others: Iterable[Bom], names: Names = NO_NAMES) -> tuple[Problem, ...]:
    """Every cycle below ``bom`` on a day it is in force among ``others``, substitutes and options included.

    Which bills are in force changes only on the first day of one and the day after the last of one.
    """
    all_of_them = (*(one for one in others if (one.product, one.version) != (bom.product, bom.version)), bom)
    days = {bom.valid_from or date.min}
    days |= {one.valid_from for one in all_of_them if one.valid_from}
    days |= {one.valid_to + timedelta(days=1) for one in all_of_them if one.valid_to and one.valid_to < date.max}
    found: dict[tuple[int, ...], None] = {}
    for day in sorted(days):
        bills = effective(all_of_them, day)
        if bills.get(bom.product) is bom:
            graph = arcs(bills, substitutes=True)
            below = reachable(graph, (bom.product,))
            found |= dict.fromkeys(cycles({one: parts for one, parts in graph.items() if one in below}))
    return cycle_problems(found, names)


def _header(bom: Bom) -> Iterator[Problem]:
    if bom.output <= ZERO:
        yield problem("bom.not_positive", "output")
    if not ZERO < bom.good <= HUNDRED:
        yield problem("bom.good_out_of_range", "good")
    if bom.valid_from and bom.valid_to and bom.valid_to < bom.valid_from:
        yield problem("bom.ends_before_it_begins", "valid_to")
    if not bom.components:
        yield problem("bom.no_components", "components")


def _components(bom: Bom) -> Iterator[Problem]:
    for number, line in enumerate(bom.components, start=1):
        where = f"components.{number}"
        if line.quantity <= ZERO:
            yield problem("bom.not_positive", f"{where}.quantity")
        # A yield loss of 100 % leaves nothing; a markup may be any.
        if line.loss < ZERO or (bom.loss_mode == "yield" and line.loss >= HUNDRED):
            yield problem("bom.loss_out_of_range", f"{where}.loss", loss=line.loss)
        for place, substitute in enumerate(line.substitutes, start=1):
            if substitute.ratio <= ZERO:
                yield problem("bom.not_positive", f"{where}.substitutes.{place}.ratio")


def _byproducts(bom: Bom) -> Iterator[Problem]:
    for number, beside in enumerate(bom.byproducts, start=1):
        where = f"byproducts.{number}"
        if beside.quantity <= ZERO:
            yield problem("bom.not_positive", f"{where}.quantity")
        if beside.price < ZERO:
            yield problem("bom.negative", f"{where}.price")
        if beside.share < ZERO:
            yield problem("bom.negative", f"{where}.share")
    shares = sum((one.share for one in bom.byproducts if one.basis == "share"), ZERO)
    if shares >= HUNDRED:
        yield problem("bom.shares_leave_nothing", "byproducts", shares=shares)
