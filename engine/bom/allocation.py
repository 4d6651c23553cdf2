"""Dividing the cost of a workshop and of a work order: overhead pools, work in process, scrap, rework, joint cost.

Every split goes through ``engine.shares.spread``, so that the parts are exactly what was divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from engine.bom.structure import HUNDRED, percent
from engine.problems import Refused, problem
from engine.shares import Weight, half_up, spread
from engine.values import PRICE_SCALE, ZERO

ReworkPolicy: TypeAlias = Literal["capitalise", "loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """A pool divided.

    Attributes:
        rate: money for one unit of the basis, in price decimals; for showing, never for computing the parts.
        parts: in the order of the bases.
    """

    rate: Decimal
    parts: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Divided:
    """One cost between what is finished and what is still in process (在制品).

    Attributes:
        unit: money for an equivalent unit, in price decimals.
    """

    unit: Decimal
    finished: Decimal
    in_process: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What becomes of the cost of a work order.

    Attributes:
        stock: value of the good output. loss: to 质量损失.
        unit: cost of a good unit in price decimals, zero where there is none.
    """

    stock: Decimal
    loss: Decimal
    unit: Decimal


def allocate(pool: Decimal, bases: Sequence[Weight], places: int) -> Allocated:
    """Divide an overhead pool (制造费用) by hours, machine hours, material cost, or output times coefficient.

    Source: domain rule C6, allocation bases. Raises ``Refused`` with ``bom.no_basis`` for a pool that nothing bears and
    ``bom.negative`` for each negative basis (``bases.2``).
    """
    _refuse_unfit(pool, bases)
    whole = sum((Fraction(basis) for basis in bases), Fraction(0))
    rate = half_up(Fraction(pool) / whole, PRICE_SCALE) if whole else ZERO
    return Allocated(rate=rate, parts=spread(pool, bases, places))


def allocate_by_percent(pool: Decimal, shares: Sequence[Decimal], places: int) -> tuple[Decimal, ...]:
    """Divide a pool by fixed percent points, which have to make 100.

    Source: domain rule C6, "fixed %". Raises ``Refused`` with ``bom.shares_not_whole`` or ``bom.negative``.
    """
    _refuse_unfit(ZERO, shares)
    if (whole := sum(shares, ZERO)) != HUNDRED:
        raise Refused([problem("bom.shares_not_whole", shares=whole)])
    return spread(pool, shares, places)


def split_joint_cost(total: Decimal, outputs: Sequence[tuple[Decimal, Decimal]], places: int) -> tuple[Decimal, ...]:
    """Divide the value of one input among its outputs, each (quantity, factor): disassembly (拆卸), grading (分级).

    The weight of an output is quantity × factor, its relative value; a cost ratio is a factor with quantity 1. Source:
    documents B4 and B7, "splits by ratio", "split by relative value". Raises ``Refused`` as ``allocate`` does.
    """
    return allocate(total, [Fraction(quantity) * Fraction(factor) for quantity, factor in outputs], places).parts


def equivalent_units(cost: Decimal, finished: Decimal, in_process: Decimal, degree: Decimal, places: int) -> Divided:
    """Divide a cost by equivalent units (约当产量).

    Args:
        cost: one cost of the period, opening work in process included.
        finished, in_process: units.
        degree: percent points of this cost that a unit in process has had: 100 for material taken at the start, the
            completed part of the operations for conversion.

    Source: domain rule C6. Raises ``Refused`` as ``allocate`` does.
    """
    shared = allocate(cost, (finished, Fraction(in_process) * percent(degree)), places)
    return Divided(unit=shared.rate, finished=shared.parts[0], in_process=shared.parts[1])


def settle(total: Decimal, good: Decimal, normal: Decimal, abnormal: Decimal, places: int) -> Settlement:
    """Divide the cost of a work order between its good output and its loss.

    Args:
        normal: units scrapped as is usual; the good ones bear them.
        abnormal: units scrapped beyond that; they take their share as a unit among all, and bear no other's.

    Source: domain rule C6, scrap normal and abnormal. Without good output all of it is loss.
    """
    if not good:
        return Settlement(stock=ZERO, loss=total, unit=ZERO)
    loss, stock = spread(total, (abnormal, good + normal), places)
    return Settlement(stock=stock, loss=loss, unit=half_up(Fraction(stock) / Fraction(good), PRICE_SCALE))


def rework(carried: Decimal, extra: Decimal, good: Decimal, policy: ReworkPolicy) -> Settlement:
    """What reworked goods are worth: what they came with, and the extra cost as far as ``policy`` lets it in.

    Source: domain rule C7. ``capitalise`` adds ``extra`` to the goods, ``loss`` sends it to 质量损失. Without good
    output all of it is loss.
    """
    if not good:
        return Settlement(stock=ZERO, loss=carried + extra, unit=ZERO)
    stock, loss = (carried, extra) if policy == "loss" else (carried + extra, ZERO)
    return Settlement(stock=stock, loss=loss, unit=half_up(Fraction(stock) / Fraction(good), PRICE_SCALE))


def _refuse_unfit(pool: Decimal, bases: Sequence[Weight]) -> None:
    problems = [problem("bom.negative", f"bases.{number}") for number, basis in enumerate(bases, 1) if basis < 0]
    if pool and not any(bases):
        problems.append(problem("bom.no_basis"))
    if problems:
        raise Refused(problems)
