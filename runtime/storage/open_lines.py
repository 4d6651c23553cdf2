"""Open quantities of document lines in one place: what lines want, hold, or bring, and the entries that say for when.

The grain ``line`` of the per-line ledgers tells how much; the entries tell whose line it is, when it is due and since
when it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa

from engine.document import DocStatus
from engine.ledger.balance import BalanceKey
from engine.ledger.entry import Entry
from engine.ledger.facts import live
from engine.values import QUANTITY_SCALE
from runtime.storage.app_tables import AppTables
from runtime.storage.column_types import unscaled
from runtime.storage.driver import fetched
from runtime.storage.ledger_tables import entry
from runtime.storage.ledgers import SELECT, entries_from

CHUNK = 500
# Asked in every posting that brings goods, hence in the words of the driver.
OPEN = (
    "SELECT ledger, product, warehouse, ref_form, ref_line, quantity FROM sys_balance WHERE grain = 'line'"
    " AND quantity <> 0 AND product IN ({}) AND warehouse IN ({}) AND ledger IN ({})"
)


def open_lines(
    connection: sa.Connection, ledgers: Sequence[str], places: Iterable[tuple[int, int]]
) -> Mapping[BalanceKey, Decimal]:
    """Every line balance of these ledgers at (product, warehouse) that is not zero, without a lock."""
    wanted = set(places)
    products, warehouses = (sorted(set(each)) for each in zip(*wanted, strict=True)) if wanted else ([], [])
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    found: dict[BalanceKey, Decimal] = {}
    for start in range(0, len(products), CHUNK):
        some = products[start : start + CHUNK]
        marks = (", ".join([mark] * len(each)) for each in (some, warehouses, ledgers))
        rows = fetched(connection, OPEN.format(*marks), (*some, *warehouses, *ledgers))
        for ledger, product, warehouse, ref_form, ref_line, quantity in rows:
            if (product, warehouse) in wanted:
                key = BalanceKey(
                    ledger, "line", product=product, warehouse=warehouse, ref_form=ref_form, ref_line=ref_line
                )
                found[key] = unscaled(quantity, QUANTITY_SCALE)
    return found


def entries_of_open_lines(connection: sa.Connection, keys: Iterable[BalanceKey]) -> Mapping[BalanceKey, list[Entry]]:
    """The live entries of each line balance, in posting order."""
    found: dict[BalanceKey, list[Entry]] = {key: [] for key in keys}
    groups: dict[tuple[str, int, int], list[int]] = {}
    for key in found:
        groups.setdefault((key.ledger, key.product, key.warehouse), []).append(key.ref_line)
    for (ledger, product, warehouse), lines in sorted(groups.items()):
        for start in range(0, len(lines), CHUNK):
            query = SELECT.where(
                entry.c.ledger == ledger,
                entry.c.product == product,
                entry.c.warehouse == warehouse,
                entry.c.ref_line.in_(lines[start : start + CHUNK]),
            )
            for one in live(entries_from(connection.execute(query.order_by(entry.c.id)))):
                key = BalanceKey(
                    ledger, "line", product=product, warehouse=warehouse, ref_form=one.ref_form, ref_line=one.ref_line
                )
                if key in found:
                    found[key].append(one)
    return found


def documents_with_status(
    connection: sa.Connection, tables: AppTables, form: str, status: DocStatus
) -> tuple[int, ...]:
    """Ids of the documents of a form that stand at ``status``, oldest first."""
    header = tables.forms[form].header
    query = sa.select(header.c.id).where(header.c.doc_status == str(status)).order_by(header.c.id)
    return tuple(connection.execute(query).scalars())
