"""Stock as people may see it: levels, the entries behind a level, balances of any ledger; and ``verify``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from engine.ledger import Balance, BalanceKey, Entry
from engine.problems import Refused, problem, suggestion
from engine.texts import shown
from runtime.declared import declared_ledgers
from runtime.facade.base_units import asked_of, counted, counted_of
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.lots import status_text
from runtime.facade.referred import numbers
from runtime.facade.stock_rights import allowed, dimension, measures_of
from runtime.stages.steps import Unit
from runtime.storage import documents, locks, stock
from runtime.storage import ledgers as ledger_rows
from runtime.storage.stock import LevelQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """A line of the stock page; ``figures`` holds the measures the person may see, as decimals; ``mixed`` those
    of them that read differently in all units of the product (3箱1瓶); ``aux`` the second quantity on hand of catch
    weight goods, ``second`` the same with its unit (3 条), empty for other goods.

    ``expired``: what of the goods on hand is past its last good day (过期), hence not available; zero for whoever does
    not see what is on hand.
    """

    product: int
    product_text: str
    warehouse: int
    warehouse_text: str
    unit: str
    figures: Mapping[str, Decimal]
    mixed: Mapping[str, str]
    aux: Decimal
    second: str
    expired: Decimal
    safety_stock: Decimal | None
    below_safety: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StockView:
    """A page of the stock page; ``next`` is (product, warehouse) to go on after."""

    rows: tuple[LevelView, ...]
    measures: tuple[str, ...]
    next: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """A ledger entry. ``value`` is None when the person may not see values; ``form`` is empty when the document behind
    it is not theirs to read; ``derived`` when costing added it to correct another; ``aux`` the second quantity
    of catch weight goods, ``second`` the same with its unit."""

    id: int
    ledger: str
    biz_date: date
    posted_at: datetime | None
    move: str
    product_text: str
    warehouse_text: str
    quantity: Decimal
    value: Decimal | None
    form: str
    document: int
    number: str
    product: int = 0
    lot: str = ""
    serial: str = ""
    status_text: str = ""
    bin_text: str = ""
    derived: bool = False
    aux: Decimal = Decimal(0)
    second: str = ""


def levels(
    door: Door,
    product: int | None = None,
    warehouse: int | None = None,
    search: str = "",
    below_safety: bool = False,
    nonzero: bool = True,
    after: tuple[int, int] | None = None,
    limit: int = 50,
) -> StockView:
    """The stock page.

    Raises:
        Refused: ``forbidden`` when the person sees no measure of it.
    """
    measures = measures_of(door)
    products, warehouses = dimension(door, "product"), dimension(door, "warehouse")
    today = door.house.now().date()
    safety = "safety_stock" if "safety_stock" in door.bundle.forms[products].fields else ""
    with door.asking() as unit:
        found, available = stock.levels(
            unit.connection,
            unit.tables,
            LevelQuery(
                product_form=products,
                warehouse_form=warehouses,
                product=product,
                warehouse=warehouse,
                warehouses=allowed(door, unit, warehouses),
                search=search,
                below_safety=safety if below_safety else "",
                nonzero=nonzero,
                after=after,
                limit=limit,
                places=door.bundle.app.settings.money_decimals,
                today=today,
            ),
        )
        page = found[:limit]
        ids = sorted({level.product for level in page})
        asked = {safety, *asked_of(door)} - {""}
        facts = documents.load_rows(unit.connection, unit.tables, products, ids, asked) if asked else {}
        units = counted_of(door, unit, facts)
        names = Names(door.language)
        for level in page:
            names.want_id(products, level.product)
            names.want_id(warehouses, level.warehouse)
        names.load(unit)
        stocks = {
            identity: value for identity, row in facts.items() if isinstance(value := row.values.get(safety), Decimal)
        }
    return StockView(
        rows=tuple(
            LevelView(
                product=level.product,
                product_text=names.name(products, level.product),
                warehouse=level.warehouse,
                warehouse_text=names.name(warehouses, level.warehouse),
                unit=units.name(level.product),
                figures={measure: getattr(level, measure) for measure in measures},
                mixed={
                    measure: text
                    for measure in measures
                    if measure != "value" and (text := units.mixed(level.product, getattr(level, measure)))
                },
                aux=level.aux if "on_hand" in measures else Decimal(0),
                second=units.second(level.product, level.aux) if "on_hand" in measures else "",
                expired=level.expired if "on_hand" in measures else Decimal(0),
                safety_stock=stocks.get(level.product),
                below_safety=(stocks.get(level.product) or Decimal(0)) > available.get(level.product, Decimal(0)),
            )
            for level in page
        ),
        measures=measures,
        next=(page[-1].product, page[-1].warehouse) if len(found) > limit else None,
    )


def entries(
    door: Door,
    product: int | None = None,
    warehouse: int | None = None,
    ledger: str = "stock",
    after: int | None = None,
    limit: int = 50,
    lot: str = "",
) -> tuple[EntryView, ...]:
    """Entries behind a level, newest first, each leading to the document that wrote it.

    Raises:
        Refused: ``forbidden`` without sight of stock, ``missing`` for an unknown ledger.
    """
    measures = measures_of(door)
    declared = declared_ledgers(door.bundle)
    if ledger not in ("stock", "supply", "reservation"):
        raise Refused([problem("ledger.unknown", name=ledger, **suggestion(ledger, declared))], "missing")
    if ledger == "stock" and "on_hand" not in measures:
        raise Refused([problem("permission.stock_denied")], "forbidden")
    _, warehouses = dimension(door, "product"), dimension(door, "warehouse")
    with door.reading() as unit:
        among = allowed(door, unit, warehouses)
        found = ledger_rows.entries_page(
            unit.connection,
            ledger,
            product=product,
            warehouse=warehouse,
            warehouses=None if among is None else stock.among(unit.tables, warehouses, among),
            lot=lot,
            after=after,
            limit=limit,
        )
        return entry_views(door, unit, found, with_value="value" in measures and ledger == "stock")


def entry_views(door: Door, unit: Unit, found: Sequence[Entry], *, with_value: bool) -> tuple[EntryView, ...]:
    """Entries of a ledger as people read them, with one query per form for names and numbers."""
    parts, names = door.bundle.app.dimensions, Names(door.language)
    for name, form in (("product", parts.product), ("warehouse", parts.warehouse), ("bin", parts.bin)):
        names.want_ids(form or "", {getattr(one, name) for one in found} - {0})
    names.load(unit)
    weighed = {one.product for one in found if one.aux}
    units = counted(door, unit, weighed) if weighed else None
    known = numbers(door, unit, {(one.form, one.document) for one in found})

    def text(form: str | None, identity: int) -> str:
        return names.name(form or "", identity) if identity else ""

    return tuple(
        EntryView(
            id=one.id or 0,
            ledger=one.ledger,
            biz_date=one.biz_date,
            posted_at=one.posted_at,
            move=move_label(door, one.move),
            product_text=text(parts.product, one.product),
            warehouse_text=text(parts.warehouse, one.warehouse),
            quantity=one.quantity,
            value=one.value if with_value else None,
            form=one.form if (one.form, one.document) in known else "",
            document=one.document,
            number=known.get((one.form, one.document), ""),
            product=one.product,
            lot=one.lot,
            serial=one.serial,
            status_text=status_text(one.status, door.language) if one.status else "",
            bin_text=text(parts.bin, one.bin),
            derived=one.basis == "derived",
            aux=one.aux,
            second=units.second(one.product, one.aux) if units is not None and one.aux else "",
        )
        for one in found
    )


def balance(door: Door, ledger: str, dimensions: Mapping[str, int | str]) -> tuple[Decimal, Decimal]:
    """Quantity and value of one balance, as ``whole_balance`` tells it."""
    found = whole_balance(door, ledger, dimensions)
    return found.quantity, found.value


def whole_balance(door: Door, ledger: str, dimensions: Mapping[str, int | str]) -> Balance:
    """One balance: stock, supply, reservation by product and warehouse (``pool`` value by
    product alone), payable and receivable by partner. For holders of a finance or stock view of it.

    Raises:
        Refused: ``forbidden`` without sight of values, ``missing`` for an unknown ledger.
    """
    declared = declared_ledgers(door.bundle)
    if ledger not in declared:
        raise Refused([problem("ledger.unknown", name=ledger, **suggestion(ledger, declared))], "missing")
    measures = measures_of(door)
    if "value" not in measures and ledger not in ("stock", "supply", "reservation"):
        raise Refused([problem("permission.stock_denied")], "forbidden")
    named = {("partner" if name in ("supplier", "customer") else name): value for name, value in dimensions.items()}
    wanted = {name for name, value in named.items() if value}
    grains = declared[ledger].grains
    # The coarsest grain that tells apart everything asked for: a lot in a warehouse is kept by the detail.
    fitting = [name for name, each in grains.items() if wanted <= set(each.dimensions)]
    grain = min(fitting, key=lambda name: len(grains[name].dimensions), default=next(iter(grains)))
    given = {name: value for name, value in named.items() if name in grains[grain].dimensions}
    key = BalanceKey(ledger, grain, **given)  # type: ignore[arg-type]
    with door.reading() as unit:
        found = locks.read_balances(unit.connection, [key])[key]
    return found if "value" in measures else found._replace(value=Decimal(0))


def document_entries(door: Door, form: str, document: int) -> tuple[Entry, ...]:
    """What a document wrote to all ledgers, in posting order. For holders of every measure of stock.

    Raises:
        Refused: ``forbidden`` when the person does not see values.
    """
    if "value" not in measures_of(door):
        raise Refused([problem("permission.stock_denied")], "forbidden")
    with door.reading() as unit:
        return ledger_rows.entries_of(unit.connection, form, document)


def move_label(door: Door, move: str) -> str:
    """The word for a move type; reversals say so."""
    for suffix, key in (("_cancel", "move.cancelled"), ("_release", "move.released")):
        if move.endswith(suffix):
            inner = move_label(door, move.removesuffix(suffix))
            return door.house.catalogue.ui(key, door.language, move=inner)
    key = f"move.{move}"
    return door.house.catalogue.ui(key, door.language) if door.house.catalogue.has(key) else move


def figure(value: Decimal) -> str:
    """A quantity as text, without trailing zeros."""
    return shown(value)
