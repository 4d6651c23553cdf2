"""Many rows, put in below the facade but through the product's own storage, so that ``verify`` stays clean.

Products are ordinary records. Ledger entries belong to approved receipts of `PER_DOCUMENT` entries each, without lines:
what is measured afterwards reads balances, and entries at most. Balances are folded from the entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from bench.company import Company, door_of
from engine.document import DocStatus, Document
from engine.ledger import Entry
from runtime.declared import declared_ledgers
from runtime.facade.door import Door
from runtime.house import House
from runtime.storage import documents
from runtime.storage import ledgers as ledger_rows
from runtime.storage.database import write
from runtime.storage.search_text import searchable

CHUNK = 2_000
PER_DOCUMENT = 1_000
STOCKED = 10_000
DAY = date(2026, 1, 5)


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
        made.extend(one.id or 0 for one in stored)
    return tuple(made)


def fill_entries(house: House, company: Company, products: tuple[int, ...], start: int, wanted: int) -> None:
    """Add entries number ``start`` to ``wanted`` over some products and every warehouse, then fold the balances."""
    door = door_of(house, company.workspace)
    some = products[:STOCKED]
    for first in range(start, wanted, PER_DOCUMENT):
        with write(door.workspace.database) as connection:
            receipt = documents.insert(
                connection, door.tables, _receipt(door, company, first), f"fill{first}", house.now()
            )
            entries = tuple(_entries(receipt, company, some, first, min(first + PER_DOCUMENT, wanted)))
            ledger_rows.append_entries(connection, entries, house.now(), door.actor.user)
    with write(door.workspace.database) as connection:
        declared = declared_ledgers(door.bundle)
        ledger_rows.rebuild(connection, ledger_rows.fold(connection, declared))


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


def _receipt(door: Door, company: Company, number: int) -> Document:
    return Document(
        form="other_receipt",
        number=f"FILL-{number}",
        status=DocStatus.APPROVED,
        snapshot=door.bundle.hash,
        creator=door.actor.user,
        biz_date=DAY,
        values={"warehouse": company.warehouses[0], "in_type": "opening"},
    )


def _entries(receipt: Document, company: Company, some: tuple[int, ...], first: int, last: int) -> Iterator[Entry]:
    for number in range(first, last):
        yield Entry(
            ledger="stock",
            product=some[number % len(some)],
            warehouse=company.warehouses[number // len(some) % len(company.warehouses)],
            quantity=Decimal(1 + number % 9),
            value=Decimal(5 + number % 90),
            move="other_in",
            form=receipt.form,
            document=receipt.id or 0,
            biz_date=DAY,
            snapshot=receipt.snapshot,
        )
