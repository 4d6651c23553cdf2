"""Many rows, put in below the facade but through the product's own storage, so that ``verify`` stays clean.

Products are ordinary records. Ledger entries belong to approved receipts and issues of `PER_DOCUMENT` entries each,
without lines, spread over the months of a year; every product has one unit cost for good, so that issues cost what they
should by any method. Beyond `LINKED` entries the chains of hashes are not continued: entries are copied by the
database, and ``verify`` is asked before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa

from bench.company import Company, door_of
from engine.document import DocStatus, Document
from engine.ledger import Balance, BalanceKey, Entry, LotDates, keys_of
from engine.ledger.balance import EMPTY
from engine.ledger.entry import NAMES
from runtime.declared import declared_ledgers
from runtime.facade.door import Door
from runtime.house import House
from runtime.storage import documents, history, layers
from runtime.storage import ledgers as ledger_rows
from runtime.storage.database import Connection, write
from runtime.storage.history import HistoryRow
from runtime.storage.ledger_tables import entry
from runtime.storage.search_text import searchable
from runtime.storage.table_parts import ID_SEQUENCE

CHUNK = 2_000
PER_DOCUMENT = 1_000
STOCKED = 10_000
LINKED = 100_000
FIRST_DAY = date(2025, 1, 5)
MONTHS, MONTH = 12, timedelta(days=28)
PER_LOT = 100


def fill_products(house: House, company: Company, wanted: int) -> tuple[int, ...]:
    """Add products until there are ``wanted``; returns the ids of the new ones."""
    door = door_of(house, company.workspace)
    form = door.bundle.forms["product"]
    made: list[int] = []
    for start in range(len(company.products), wanted, CHUNK):
        listed = [_product(door, company, number) for number in range(start, min(start + CHUNK, wanted))]
        with write(door.workspace.database) as connection:
            stored = documents.insert_many(
                connection, door.tables, listed, [searchable(form, one) for one in listed], house.now()
            )
            history.append(connection, [_told(door, one, "create") for one in stored])
        made.extend(one.id or 0 for one in stored)
    return tuple(made)


def fill_entries(house: House, company: Company, products: tuple[int, ...], start: int, wanted: int) -> None:
    """Add entries number ``start`` to ``wanted`` over some products and every warehouse, with their balances."""
    door = door_of(house, company.workspace)
    linked = min(wanted, LINKED)
    for first in range(start, linked, PER_DOCUMENT):
        # Three documents bring goods in, the fourth takes some of them out again.
        kind = "other_issue" if first // PER_DOCUMENT % 4 == 3 else "other_receipt"
        day = FIRST_DAY + MONTH * (first * MONTHS // LINKED)
        with write(door.workspace.database) as connection:
            paper = _paper(door, company, kind, day, first)
            kept = _kept(connection, door, paper)
            post_entries(connection, door, list(_entries(kept, company, products[:STOCKED], first, linked)))
    if wanted > linked:
        _copy(door, max(start, linked), wanted)


def post_entries(connection: Connection, door: Door, entries: Sequence[Entry]) -> None:
    """Append entries whose values are known, and carry their balances along."""
    declared = declared_ledgers(door.bundle)
    keys = {key for one in entries for key in keys_of(declared[one.ledger], one)}
    balances: dict[BalanceKey, Balance] = dict(ledger_rows.lock_balances(connection, keys))
    for one in entries:
        for key in keys_of(declared[one.ledger], one):
            balances[key] = balances.get(key, EMPTY).plus(one)
    at, user = door.house.now(), door.actor.user
    _, after = ledger_rows.append_entries(connection, entries, at, user, balances, declared)
    ledger_rows.save_balances(connection, after)


def _copy(door: Door, there: int, wanted: int) -> None:
    """Copy the linked entries until there are ``wanted``, then fold the balances; ids stay unique and in order.

    Indexes are taken down meanwhile and made again: row by row, five million entries would take them an hour.
    """
    names = [f'"{name}"' for name in NAMES]
    values = ["id + :shift" if name == "id" else f'"{name}"' for name in NAMES]
    copying = sa.text(
        f"INSERT INTO sys_entry ({', '.join(names)}) SELECT {', '.join(values)} FROM sys_entry"
        " WHERE id > :low AND id <= :high ORDER BY id LIMIT :number"
    )
    database = door.workspace.database
    with write(database) as connection:
        bounds = "SELECT min(id) - 1, max(id) FROM (SELECT id FROM sys_entry ORDER BY id LIMIT :number) x"
        low, high = connection.execute(sa.text(bounds), {"number": LINKED}).one()
        for index in entry.indexes:
            index.drop(connection)
    while there < wanted:
        with write(database) as connection:
            shift = _next_id(connection) - low
            given = {"shift": shift, "low": low, "high": high, "number": min(LINKED, wanted - there)}
            there += connection.execute(copying, given).rowcount
            _take_ids(connection, shift + high)
    for index in entry.indexes:
        with write(database) as connection:
            index.create(connection)
    with write(database) as connection:
        ledger_rows.rebuild(connection, ledger_rows.fold(connection, declared_ledgers(door.bundle)))
    with write(database) as connection:
        connection.exec_driver_sql("ANALYZE sys_entry")
        connection.exec_driver_sql("ANALYZE sys_balance")


def _next_id(connection: Connection) -> int:
    return int(connection.execute(sa.text("SELECT max(id) FROM sys_entry")).scalar_one())


def _take_ids(connection: Connection, last: int) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(
            sa.text("UPDATE sys_counter SET value = max(value, :last) WHERE name = 'id'"), {"last": last}
        )
    else:
        taken = f"SELECT setval('{ID_SEQUENCE}', greatest(:last, nextval('{ID_SEQUENCE}')))"
        connection.execute(sa.text(taken), {"last": last})


def fill_issues(house: House, company: Company, product: int, day: date, number: int) -> None:
    """A receipt of ``product`` and, each a day of its own class later, ``number`` issues of one unit behind it."""
    door = door_of(house, company.workspace)
    with write(door.workspace.database) as connection:
        for kind, when, count, quantity in (
            ("other_receipt", day, 1, Decimal(number * 2)),
            ("other_issue", day + timedelta(days=10), number, Decimal(-1)),
        ):
            paper = _kept(connection, door, _paper(door, company, kind, when, f"behind{product}"))
            one = _entry(paper, product, company.warehouses[0], quantity, price(product))
            post_entries(connection, door, [one._replace(line=place) for place in range(count)])


def fill_lots(house: House, company: Company, product: int, number: int) -> str:
    """``number`` entries of ``product`` in lots of a hundred: ninety-nine issues for each receipt. Returns one lot."""
    door = door_of(house, company.workspace)
    lots = [f"L{each:05}" for each in range(number // PER_LOT)]
    place = company.warehouses[0]
    each_time = PER_DOCUMENT // PER_LOT
    for first in range(0, len(lots), each_time):
        some = lots[first : first + each_time]
        with write(door.workspace.database) as connection:
            for kind in ("other_receipt", "other_issue"):
                paper = _paper(door, company, kind, FIRST_DAY, f"lots{first}")
                kept = _kept(connection, door, paper)
                count, quantity = (PER_LOT - 1, Decimal(-1)) if kind == "other_issue" else (1, Decimal(PER_LOT))
                one = _entry(kept, product, place, quantity, price(product))
                post_entries(
                    connection, door, [one._replace(lot=lot, line=line) for lot in some for line in range(count)]
                )
            layers.save_lots(connection, {(product, lot): (LotDates(), FIRST_DAY) for lot in some})
    return lots[-1]


def _kept(connection: Connection, door: Door, paper: Document) -> Document:
    """The document stored, with the line in its history that says it was approved."""
    kept = documents.insert(connection, door.tables, paper, paper.number or "", door.house.now())
    history.append(connection, [_told(door, kept, "approve")])
    return kept


def _told(door: Door, kept: Document, action: str) -> HistoryRow:
    return HistoryRow(
        form=kept.form, document=kept.id or 0, version=1, at=door.house.now(), user=door.actor.user, user_name="bench",
        action=action,
    )  # fmt: skip


def _product(door: Door, company: Company, number: int) -> Document:
    return Document(
        form="product",
        status=DocStatus.ACTIVE,
        snapshot=door.bundle.hash,
        creator=door.actor.user,
        values={
            "code": f"F{number:06}",
            "name": f"螺栓 {number}",
            "spec": f"M{number % 40} × {number % 97}",
            "category": company.category if number % 10 == 0 else None,
            "base_unit": company.unit,
            "item_type": "finished",
            "purchase_price": Decimal(number % 1000) / 10,
            "sale_price": Decimal(number % 1000) / 5,
            "safety_stock": Decimal(number % 7),
            "tax_rate": Decimal(13),
        },
    )


def price(product: int) -> Decimal:
    """What a unit of a product costs, always."""
    return Decimal(5 + product % 90)


def _paper(door: Door, company: Company, form: str, day: date, number: int | str) -> Document:
    kinds: Mapping[str, Mapping[str, object]] = {"other_receipt": {"in_type": "opening"}, "other_issue": {}}
    return Document(
        form=form,
        number=f"FILL-{form}-{number}",
        status=DocStatus.APPROVED,
        snapshot=door.bundle.hash,
        creator=door.actor.user,
        biz_date=day,
        values={"warehouse": company.warehouses[0], **kinds[form]},
    )


def _entries(paper: Document, company: Company, some: tuple[int, ...], first: int, last: int) -> Iterator[Entry]:
    """An issue takes one of what the document three before it brought."""
    out = paper.form == "other_issue"
    for number in range(first, min(first + PER_DOCUMENT, last)):
        meant = number - 3 * PER_DOCUMENT if out else number
        product = some[meant % len(some)]
        warehouse = company.warehouses[meant // len(some) % len(company.warehouses)]
        quantity = Decimal(-1) if out else Decimal(1 + number % 9)
        yield _entry(paper, product, warehouse, quantity, price(product))


def _entry(paper: Document, product: int, warehouse: int, quantity: Decimal, price: Decimal) -> Entry:
    value = quantity * price
    return Entry(
        ledger="stock",
        product=product,
        warehouse=warehouse,
        quantity=quantity,
        value=value,
        stated=value if quantity > 0 else Decimal(0),
        basis="given" if quantity > 0 else "method",
        move="other_in" if quantity > 0 else "other_out",
        form=paper.form,
        document=paper.id or 0,
        biz_date=paper.biz_date or FIRST_DAY,
        snapshot=paper.snapshot,
    )
