"""Cost by element (成本要素): what it is made up of, kept apart through every level so that a cost can be taken back
to material, labour and overhead (成本还原)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction

from engine.shares import half_up
from engine.values import ZERO

NOUGHT = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """An amount of money, or of money a unit, by element.

    Attributes:
        material: 直接材料, issues less returns, auxiliary material included.
        labour: 直接人工. overhead: 制造费用. outsource: 委外加工费.
        byproduct: 副产品回收, zero or negative.
    """

    material: Decimal = ZERO
    labour: Decimal = ZERO
    overhead: Decimal = ZERO
    outsource: Decimal = ZERO
    byproduct: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Domain rule C6: material + labour + overhead + outsource − byproduct recovery."""
        return self.material + self.labour + self.overhead + self.outsource + self.byproduct


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactElements:
    """The same, before anything is rounded."""

    material: Fraction = NOUGHT
    labour: Fraction = NOUGHT
    overhead: Fraction = NOUGHT
    outsource: Fraction = NOUGHT
    byproduct: Fraction = NOUGHT

    @classmethod
    def of(cls, elements: Elements) -> ExactElements:
        """``elements`` as fractions."""
        return cls(**{each.name: Fraction(getattr(elements, each.name)) for each in fields(elements)})

    @property
    def total(self) -> Fraction:
        """The sum of the elements."""
        return self.material + self.labour + self.overhead + self.outsource + self.byproduct

    def plus(self, other: ExactElements) -> ExactElements:
        """Element by element."""
        return ExactElements(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )

    def times(self, factor: Fraction) -> ExactElements:
        """Every element ``factor`` times."""
        return ExactElements(**{each.name: getattr(self, each.name) * factor for each in fields(self)})

    def rounded(self, places: int) -> Elements:
        """In ``places`` decimals, so that the elements add up to the rounded total.

        Each is the difference of two neighbouring rounded sums; an element of zero stays zero.
        """
        reached, before, parts = NOUGHT, ZERO, {}
        for each in fields(self):
            reached += getattr(self, each.name)
            upto = half_up(reached, places)
            parts[each.name] = upto - before
            before = upto
        return Elements(**parts)


def restore(amount: Decimal, made_of: Elements, places: int) -> Elements:
    """``amount`` of a semi-finished product taken back to the elements it is made of (成本还原).

    Source: domain rule C6: in the proportion of ``made_of``, the cost of that product; the elements add up to
    ``amount``. All of it is material where nothing is known of its cost.
    """
    exact = ExactElements.of(made_of)
    if not exact.total:
        return Elements(material=amount)
    return exact.times(Fraction(amount) / exact.total).rounded(places)
