"""Open quantities of document lines in one place: what lines want, hold, or bring, and the entries that say for when.

The grain ``line`` of the per-line ledgers tells how much; the entries tell whose line it is, when it is due and since
when it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa

from engine.document import DocStatus
from engine.ledger.balance import BalanceKey, line_key
from engine.ledger.entry import Entry
from engine.ledger.facts import live
from engine.values import QUANTITY_SCALE
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import unscaled
from runtime.storage.driver import fetched, placeholders
from runtime.storage.ledger_tables import entry
from runtime.storage.ledgers import SELECT, entries_from

CHUNK = 500
# Asked in every posting that brings goods, hence in the words of the driver.
OPEN = (
    "SELECT ledger, product, warehouse, ref_form, ref_line, quantity FROM sys_balance WHERE grain = 'line'"
    " AND quantity <> 0 AND product IN ({}) AND warehouse IN ({}) AND ledger IN ({})"
)

# The text of a key begins with its ledger; the rest is the same for the two balances of one line.
UNSERVED = (
    "SELECT d.product, d.warehouse, d.ref_form, d.ref_line, d.quantity - COALESCE(r.quantity, 0) FROM sys_balance d"
    " LEFT JOIN sys_balance r ON r.key = 'reservation' || substr(d.key, 7)"
    " WHERE d.grain = 'line' AND d.product IN ({}) AND d.ledger = 'demand' AND d.quantity > COALESCE(r.quantity, 0)"
)


def open_lines(
    connection: sa.Connection, ledgers: Sequence[str], places: Iterable[tuple[int, int]]
) -> Mapping[BalanceKey, Decimal]:
    """Every line balance of these ledgers at (product, warehouse) that is not zero, without a lock."""
    wanted = set(places)
    products, warehouses = (sorted(set(each)) for each in zip(*wanted, strict=True)) if wanted else ([], [])
    found: dict[BalanceKey, Decimal] = {}
    for start in range(0, len(products), CHUNK):
        some = products[start : start + CHUNK]
        marks = (placeholders(connection, len(each)) for each in (some, warehouses, ledgers))
        rows = fetched(connection, OPEN.format(*marks), (*some, *warehouses, *ledgers))
        for ledger, product, warehouse, ref_form, ref_line, quantity in rows:
            if (product, warehouse) in wanted:
                key = BalanceKey(
                    ledger, "line", product=product, warehouse=warehouse, ref_form=ref_form, ref_line=ref_line
                )
                found[key] = unscaled(quantity, QUANTITY_SCALE)
    return found


def unserved(connection: sa.Connection, products: Iterable[int]) -> Mapping[BalanceKey, Decimal]:
    """The ``demand`` lines of these products, in any warehouse, that want more than is reserved for them: how much.

    The comparison is left to the database: of a thousand orders that are reserved and wait for their delivery none has
    to be looked at here.
    """
    wanted = sorted(set(products))
    found: dict[BalanceKey, Decimal] = {}
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        rows = fetched(connection, UNSERVED.format(placeholders(connection, len(some))), some)
        for product, warehouse, ref_form, ref_line, missing in rows:
            key = BalanceKey("demand", "line", product, warehouse, ref_form=ref_form, ref_line=ref_line)
            found[key] = unscaled(missing, QUANTITY_SCALE)
    return found


def entries_of_open_lines(connection: sa.Connection, keys: Iterable[BalanceKey]) -> Mapping[BalanceKey, list[Entry]]:
    """The live entries of each line balance, in posting order."""
    found: dict[BalanceKey, list[Entry]] = {key: [] for key in keys}
    wanted = sorted(found, key=lambda key: (key.ledger, key.product, key.warehouse, key.ref_line))
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        mine = set(chunk)  # what the query finds of another chunk's lines is left to that chunk
        query = SELECT.where(
            entry.c.ledger.in_({key.ledger for key in chunk}),
            entry.c.product.in_({key.product for key in chunk}),
            entry.c.warehouse.in_({key.warehouse for key in chunk}),
            entry.c.ref_line.in_({key.ref_line for key in chunk}),
        )
        for one in live(entries_from(connection.execute(query.order_by(entry.c.id)))):
            key = line_key(one)
            if key in mine:
                found[key].append(one)
    return found


def line_numbers(
    connection: sa.Connection, tables: AppTables, wanted: Mapping[str, Iterable[int]]
) -> Mapping[tuple[str, int], int]:
    """Where lines stand in their tables, by form and line id; ``wanted``: ids of lines by form."""
    found: dict[tuple[str, int], int] = {}
    for form, lines in wanted.items():
        ids = sorted(set(lines))
        for table in tables.forms[form].lines.values() if form in tables.forms else ():
            for start in range(0, len(ids), CHUNK):
                query = sa.select(table.c.id, table.c.line_no).where(table.c.id.in_(ids[start : start + CHUNK]))
                found.update({(form, row[0]): row[1] for row in connection.execute(query)})
    return found


def documents_with_status(
    connection: sa.Connection, tables: AppTables, form: str, status: DocStatus
) -> tuple[int, ...]:
    """Ids of the documents of a form that stand at ``status``, oldest first."""
    header = tables.forms[form].header
    query = sa.select(header.c.id).where(header.c.doc_status == str(status)).order_by(header.c.id)
    return tuple(connection.execute(query).scalars())
