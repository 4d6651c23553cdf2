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
from runtime.storage.app_tables import AppTables
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.ledgers import SELECT, entries_from

CHUNK = 500
COLUMNS = ("ledger", "product", "warehouse", "ref_form", "ref_line", "quantity")


def open_lines(
    connection: sa.Connection, ledgers: Sequence[str], places: Iterable[tuple[int, int]]
) -> Mapping[BalanceKey, Decimal]:
    """Every line balance of these ledgers at (product, warehouse) that is not zero, without a lock."""
    wanted = set(places)
    products = sorted({product for product, _ in wanted})
    found: dict[BalanceKey, Decimal] = {}
    for start in range(0, len(products), CHUNK):
        query = sa.select(*(balance.c[name] for name in COLUMNS)).where(
            balance.c.grain == "line",
            balance.c.product.in_(products[start : start + CHUNK]),
            balance.c.warehouse.in_(sorted({warehouse for _, warehouse in wanted})),
            balance.c.ledger.in_(ledgers),
            balance.c.quantity != Decimal(0),
        )
        for ledger, product, warehouse, ref_form, ref_line, quantity in connection.execute(query):
            if (product, warehouse) in wanted:
                key = BalanceKey(
                    ledger, "line", product=product, warehouse=warehouse, ref_form=ref_form, ref_line=ref_line
                )
                found[key] = quantity
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
