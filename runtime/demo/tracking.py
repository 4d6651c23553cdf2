"""Which lots, bins and serial numbers the goods of the demo company have: made up, the same on every run. Pure.

Tubes, tyres and what is in bottles have lots with a shelf life, two bicycles have serial numbers, and one warehouse is
kept by bin. What goes out is picked by expiry, as a storekeeper would; a lot past its date stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

from runtime.demo.company import RECEIVING, SHIPPING

# Product code → shelf life in days. The tables say nothing of it.
LIVES: Mapping[str, int] = MappingProxyType(
    {"CL-9009": 60, "PK-7098": 90, "TT-M928": 180, "TT-R982": 180, "TT-T092": 180, "TI-R092": 360, "TI-M267": 360}
)
SERIALS = ("BK-M68S-42", "BK-R19B-44")
BINNED = RECEIVING
TRANSIT = "L90"
BINS = tuple(f"{BINNED}-{row}{place:02}" for row in "ABC" for place in range(1, 5))
SHORT = 60  # a company that lives longer would sell nothing but expired goods of its first day
# Of what is there on the first day: a lot that will be past its date, one near it, and a fresh one.
FIRST_LOTS = ((Decimal("0.2"), -3), (Decimal("0.3"), 5))

Values = Mapping[str, str]


@dataclass(slots=True)
class Lot:
    """What is left of a lot in a warehouse; ``expires`` None: it keeps."""

    number: str
    made: date | None
    expires: date | None
    quantity: Decimal


@dataclass(slots=True)
class Tracking:
    """What is where by lot and serial number.

    Attributes:
        today: the day after the company's last one; opening_day: its first.
    """

    today: date
    opening_day: date
    _lots: dict[tuple[str, str], list[Lot]] = field(default_factory=dict)
    _serials: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _made: dict[str, int] = field(default_factory=dict)

    @property
    def dated(self) -> bool:
        """Whether lots carry dates."""
        return (self.today - self.opening_day).days <= SHORT

    def opening(self, product: str, warehouse: str, quantity: Decimal) -> Sequence[tuple[Decimal, Values]]:
        """The first goods of a place, split into lots: quantity and line fields of each."""
        if product not in LIVES:
            return [(quantity, self._place(product, warehouse, None, self._numbered(product, warehouse, quantity)))]
        life, parts, left = timedelta(days=LIVES[product]), [], quantity
        for share, days in FIRST_LOTS if self.dated else ():
            part = (quantity * share).to_integral_value()
            if part:
                parts.append((part, self.today + timedelta(days=days) - life))
                left -= part
        parts.append((left, self.opening_day - timedelta(days=10)))
        return [
            (part, self._place(product, warehouse, self._brought(product, warehouse, part, made), []))
            for part, made in parts
        ]

    def incoming(self, product: str, warehouse: str, quantity: Decimal, day: date) -> Values:
        """The line fields of goods that come in."""
        if product not in LIVES:
            return self._place(product, warehouse, None, self._numbered(product, warehouse, quantity))
        made = day - timedelta(days=5)
        return self._place(product, warehouse, self._brought(product, warehouse, quantity, made), [])

    def outgoing(
        self, product: str, warehouse: str, quantity: Decimal, day: date, bin_field: str = "bin"
    ) -> Iterator[tuple[Decimal, Values]]:
        """What is picked: quantity and line fields, lot by lot; less than asked for where the rest is past its date."""
        place = (product, warehouse)
        if product in SERIALS:
            held = self._serials.get(place, [])
            taken, self._serials[place] = held[: int(quantity)], held[int(quantity) :]
            if taken:
                yield Decimal(len(taken)), self._place(product, warehouse, None, taken, bin_field)
            return
        if product not in LIVES:
            yield quantity, self._place(product, warehouse, None, [], bin_field)
            return
        for lot in sorted(self._lots.get(place, []), key=lambda one: (one.expires or date.max, one.number)):
            part = min(quantity, lot.quantity)
            if part <= 0 or (lot.expires is not None and lot.expires < day):
                continue
            lot.quantity -= part
            quantity -= part
            yield part, self._place(product, warehouse, Lot(lot.number, None, None, part), [], bin_field)

    def moved(self, product: str, target: str, quantity: Decimal, values: Values, source: str) -> Values:
        """Note that what was picked arrived at ``target``; returns the fields of where it lies there."""
        if lot := values.get("lot_no"):
            known = next(one for one in self._lots[product, source] if one.number == lot)
            self._lots.setdefault((product, target), []).append(Lot(lot, known.made, known.expires, quantity))
        if serials := values.get("serials"):
            self._serials.setdefault((product, target), []).extend(serials.split())
        return {"to_bin": self.bin_of(product)} if target == BINNED else {}

    def fresh_lot(self, product: str, warehouse: str) -> str:
        """The lot that keeps longest."""
        listed = [one for one in self._lots.get((product, warehouse), []) if one.quantity > 0]
        return max(listed, key=lambda one: (one.expires or date.max, one.number)).number if listed else ""

    def bin_of(self, product: str) -> str:
        """Every product has its bin."""
        return BINS[sum(map(ord, product)) % len(BINS)]

    def _brought(self, product: str, warehouse: str, quantity: Decimal, made: date) -> Lot:
        expires = made + timedelta(days=LIVES[product]) if self.dated else None
        lot = Lot(f"L{made:%Y%m%d}", made if self.dated else None, expires, quantity)
        self._lots.setdefault((product, warehouse), []).append(lot)
        return lot

    def _numbered(self, product: str, warehouse: str, quantity: Decimal) -> list[str]:
        if product not in SERIALS:
            return []
        first = self._made.get(product, 0) + 1
        self._made[product] = first + int(quantity) - 1
        made = [f"{product.replace('-', '')}{number:05}" for number in range(first, first + int(quantity))]
        self._serials.setdefault((product, warehouse), []).extend(made)
        return made

    def _place(
        self, product: str, warehouse: str, lot: Lot | None, serials: Sequence[str], bin_field: str = "bin"
    ) -> Values:
        values = {"lot_no": lot.number} if lot else {}
        if lot and lot.made:
            values["mfg_date"] = lot.made.isoformat()
        if serials:
            values["serials"] = " ".join(serials)
        if warehouse == BINNED:
            values[bin_field] = self.bin_of(product)
        return values


def product_fields(product: str) -> Values:
    """What the master record of a product says about being kept by lot or serial number."""
    if product in LIVES:
        return {"lot_managed": "是", "shelf_life": str(LIVES[product])}
    return {"serial_managed": "是"} if product in SERIALS else {}


def warehouse_fields(warehouse: str) -> Values:
    """What the master record of a warehouse says about bins, and through which one its goods travel."""
    if warehouse == BINNED:
        return {"use_bins": "是"}
    return {"transit_warehouse": TRANSIT} if warehouse == SHIPPING else {}
