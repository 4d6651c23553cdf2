"""Goods by lot, bin, serial number and status, as people may see them, with how near each lot is to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from engine.goods import GOOD
from engine.permissions import stock_measures
from engine.picking import STATUS_LABELS, Level, ShelfLife, level, near_days
from engine.values import ZERO
from runtime.facade.base_units import counted
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.stock_rights import allowed, dimension, moves_seen
from runtime.storage import lots
from runtime.storage.lots import DetailQuery

LONGEST_NEAR = 45  # the widest of the near-expiry table
Due: TypeAlias = Literal["", "near", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """Goods of one lot, serial number and status in one bin.

    Attributes:
        status: its key, ``ok`` for good ones. freshness: ``fresh``, ``yellow`` (临期), ``red`` (a third of that time
            is left) or ``expired``; empty when nothing is known of its end (domain rule D4).
        days_left: until the last good day, negative after it.
        second: the second quantity of catch weight goods, with its unit.
    """

    product: int
    product_text: str
    warehouse: int
    warehouse_text: str
    bin_text: str
    lot: str
    serial: str
    status: str
    status_text: str
    quantity: Decimal
    unit: str
    mixed: str
    second: str
    made: date | None
    expires: date | None
    freshness: Level | Literal[""]
    days_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsView:
    """A page; ``next`` is the offset to go on at."""

    rows: tuple[DetailView, ...]
    next: int | None


def details(
    door: Door,
    product: int | None = None,
    warehouse: int | None = None,
    search: str = "",
    lot: str = "",
    status: str = "",
    due: Due = "",
    offset: int = 0,
    limit: int = 50,
) -> DetailsView:
    """Goods by lot and bin, what expires first at the head of each product.

    Args:
        lot: part of a lot number or serial number. due: only lots near their end, or only those past it.

    Raises:
        Refused: ``forbidden`` for whoever does not see what is on hand.
    """
    moves_seen(door)
    products, warehouses = dimension(door, "product"), dimension(door, "warehouse")
    bins = door.bundle.app.dimensions.bin or ""
    today = door.house.now().date()
    with door.reading() as unit:
        by = {"near": today + timedelta(days=LONGEST_NEAR), "expired": today - timedelta(days=1)}.get(due)
        found = lots.details(
            unit.connection,
            unit.tables,
            DetailQuery(
                product_form=products,
                warehouse_form=warehouses,
                product=product,
                warehouse=warehouse,
                warehouses=allowed(door, unit, warehouses),
                search=search,
                lot=lot,
                status=status,
                expires_by=by,
                offset=offset,
                limit=limit,
            ),
        )
        page = found[:limit]
        units = counted(door, unit, {one.product for one in page})
        names = Names(door.language)
        for one in page:
            names.want_id(products, one.product)
            names.want_id(warehouses, one.warehouse)
            if one.bin:
                names.want_id(bins, one.bin)
        names.load(unit)
    made = [
        DetailView(
            product=one.product,
            product_text=names.name(products, one.product),
            warehouse=one.warehouse,
            warehouse_text=names.name(warehouses, one.warehouse),
            bin_text=names.name(bins, one.bin) if one.bin else "",
            lot=one.lot,
            serial=one.serial,
            status=one.status or GOOD,
            status_text=status_text(one.status, door.language),
            quantity=one.quantity,
            unit=units.name(one.product),
            mixed=units.mixed(one.product, one.quantity),
            second=units.second(one.product, one.aux or ZERO),
            made=one.made,
            expires=one.expires,
            freshness=freshness(one.made or one.received, one.expires, today),
            days_left=(one.expires - today).days if one.expires else None,
        )
        for one in page
    ]
    # Which lots are near depends on how long each lives; the database only knows that none beyond the widest is.
    kept = tuple(one for one in made if due != "near" or one.freshness in ("yellow", "red", "expired"))
    return DetailsView(rows=kept, next=offset + limit if len(found) > limit else None)


def detailed_places(door: Door, products: Iterable[int]) -> Mapping[tuple[int, int], int]:
    """How many lots, bins and so on can be told apart, by (product, warehouse); none for whoever may not see them."""
    if "on_hand" not in stock_measures(door.bundle, door.actor):
        return {}
    with door.reading() as unit:
        return lots.detailed_places(unit.connection, products)


def freshness(made: date | None, expires: date | None, today: date) -> Level | Literal[""]:
    """How near its end a lot is. Without the day it was made, its life is taken as a year, the widest warning."""
    if expires is None:
        return ""
    life = ShelfLife(length=max((expires - made).days, 1) if made else 365)
    return level(expires, today, near_days(life))


def status_text(status: str, language: Literal["zh", "en"]) -> str:
    """The word for a stock status; an app's own is shown as written."""
    label = STATUS_LABELS.get(status or GOOD)
    return label.text(language) if label else status
