"""What somebody with access to the database may do to the ledgers, from careless to thorough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from engine.ledger import Ledger, key_at
from engine.ledger.chain import digest, link
from runtime.storage.ledgers import SELECT, entries_from, fold, rebuild

Change = Callable[[sa.Connection, dict[str, Ledger]], None]
STOCK = "SELECT id FROM sys_entry WHERE ledger = 'stock' AND basis <> 'derived' ORDER BY id"
LIVE = (
    "SELECT e.id FROM sys_entry e LEFT JOIN sys_entry m ON m.mirror_of = e.id WHERE e.ledger = 'stock'"
    " AND e.basis <> 'derived' AND e.mirror_of IS NULL AND m.id IS NULL ORDER BY e.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """A change, the codes ``verify`` must give, and what the independent checker must say."""

    change: Change
    codes: frozenset[str]
    findings: frozenset[str]
    anchored: bool = False


def free(connection: sa.Connection) -> None:
    """Take the guards off, as whoever owns the database can."""
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
    for name in names:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def run(*statements: str) -> Change:
    """SQL that must change something; ``:first``, ``:second``, ``:last`` (of those that count) and ``:end`` are stock
    entries."""

    def change(connection: sa.Connection, declared: dict[str, Ledger]) -> None:
        ids = connection.exec_driver_sql(STOCK).scalars().all()
        last = connection.exec_driver_sql(LIVE).scalars().all()[-1]
        named = {"first": ids[0], "second": ids[1], "last": last, "end": ids[-1]}
        for statement in statements:
            text = sa.text(statement)
            assert connection.execute(text, {key: named[key] for key in named if f":{key}" in statement}).rowcount

    return change


def then(*changes: Change) -> Change:
    """One change after the other."""

    def change(connection: sa.Connection, declared: dict[str, Ledger]) -> None:
        for each in changes:
            each(connection, declared)

    return change


def fold_again(connection: sa.Connection, declared: dict[str, Ledger]) -> None:
    """Make the balances fit the entries."""
    rebuild(connection, fold(connection, declared))


def hash_again(connection: sa.Connection, declared: dict[str, Ledger]) -> None:
    """Make the chains fit the entries, to their heads."""
    heads: dict[str, str] = {}
    for one in entries_from(connection.execute(SELECT.order_by(sa.text("id")))):
        key = key_at(declared[one.ledger], declared[one.ledger].chain, one).text
        heads[key] = link(heads.get(key, ""), one)
        connection.exec_driver_sql("UPDATE sys_entry SET hash = ? WHERE id = ?", (heads[key], one.id))
    connection.exec_driver_sql("UPDATE sys_balance SET head = ''")
    for key, head in heads.items():
        connection.exec_driver_sql("UPDATE sys_balance SET head = ? WHERE key = ?", (head, key))


def seal_again(connection: sa.Connection, declared: dict[str, Ledger]) -> None:
    """Throw the seals away and make one that fits."""
    connection.exec_driver_sql("DELETE FROM sys_seal_head WHERE seal > 1")
    connection.exec_driver_sql("DELETE FROM sys_seal WHERE id > 1")
    found = connection.exec_driver_sql("SELECT key, entries, head FROM sys_balance WHERE head <> ''")
    rows = [tuple(row) for row in found]
    connection.exec_driver_sql("DELETE FROM sys_seal_head")
    for row in rows:
        connection.exec_driver_sql("INSERT INTO sys_seal_head (seal, key, entries, head) VALUES (1, ?, ?, ?)", row)
    connection.exec_driver_sql(
        "UPDATE sys_seal SET chains = ?, previous = '', digest = ? WHERE id = 1", (len(rows), digest("", rows))
    )


def forget_last(connection: sa.Connection, declared: dict[str, Ledger]) -> None:
    """Take out the last document with all it wrote, as if it had never been posted."""
    form, document = connection.exec_driver_sql("SELECT form, document FROM sys_entry ORDER BY id DESC LIMIT 1").one()
    connection.exec_driver_sql("DELETE FROM sys_entry WHERE form = ? AND document = ?", (form, document))
    connection.exec_driver_sql(f"UPDATE t_{form} SET doc_status = 'draft' WHERE id = ?", (document,))


def hiding(change: Change) -> Change:
    """A change, with balances and chains made to fit."""
    return then(change, fold_again, hash_again)


def found(codes: str, findings: str, change: Change, *, anchored: bool = False) -> Tampering:
    """Codes and findings separated by blanks."""
    return Tampering(
        change=change, codes=frozenset(codes.split()), findings=frozenset(findings.split()), anchored=anchored
    )


MORE = "UPDATE sys_entry SET quantity = quantity + 1000000 WHERE id = :first"
WORTH = "UPDATE sys_entry SET value = value - 10000 WHERE id = :last"
SWAP = (
    "UPDATE sys_entry SET quantity = (SELECT max(b.quantity) FROM sys_entry b WHERE b.id IN (:first, :second)),"
    " stated = (SELECT max(b.stated) FROM sys_entry b WHERE b.id IN (:first, :second)) WHERE id IN (:first, :second)"
)
TAMPERINGS = {
    "quantity of an entry": found("verify.balance verify.chain", "I1 I5", run(MORE)),
    "quantity, balances folded again": found("verify.chain", "I5", then(run(MORE), fold_again)),
    "value, all made to fit": found("verify.cost verify.seal_head", "I7 I5", hiding(run(WORTH))),
    "value, all made to fit and sealed again": found(
        "verify.cost verify.anchor", "I7 I5", then(hiding(run(WORTH)), seal_again), anchored=True
    ),
    "an entry taken out": found("verify.balance verify.chain", "I1 I5", run("DELETE FROM sys_entry WHERE id = :first")),
    "the last entry taken out": found(
        "verify.balance verify.head", "I1 I5", run("DELETE FROM sys_entry WHERE id = :end")
    ),
    "rows swapped": found(
        "verify.chain",
        "I5",
        run(
            "UPDATE sys_entry SET id = -1 WHERE id = :first",
            "UPDATE sys_entry SET id = :first WHERE id = :second",
            "UPDATE sys_entry SET id = :second WHERE id = -1",
        ),
    ),
    "two entries made alike": found("verify.chain", "I5", run(SWAP)),
    "a balance": found(
        "verify.balance", "I1", run("UPDATE sys_balance SET value = value + 1 WHERE key LIKE 'stock|cost|%'")
    ),
    "a second quantity": found(
        "verify.balance", "I1", run("UPDATE sys_balance SET aux = 1 WHERE key LIKE 'stock|place|%'")
    ),
    "the columns of a balance": found(
        "verify.balance", "I1", run("UPDATE sys_balance SET product = product + 1 WHERE key LIKE 'stock|place|%'")
    ),
    "a balance made up": found(
        "verify.balance",
        "I1",
        run(
            "INSERT INTO sys_balance SELECT 'stock|place|p999|w1', ledger, grain, 999, warehouse, bin, lot, serial,"
            " status, owner, partner, subject, element, ref_form, ref_document, ref_line, move, month, quantity, value,"
            " last_day, entries, '', version, aux FROM sys_balance WHERE key LIKE 'stock|place|%' LIMIT 1"
        ),
    ),
    "a hash forged": found("verify.chain", "I5", run("UPDATE sys_entry SET hash = 'f00' || hash WHERE id = :first")),
    "a head forged": found(
        "verify.head", "I5", run("UPDATE sys_balance SET head = 'f00' || head WHERE key LIKE 'stock|place|%'")
    ),
    "the tail cut off without a trace": found("verify.seal_cut", "I5", hiding(forget_last)),
    "the tail cut off and sealed again": found(
        "verify.anchor", "I5", then(hiding(forget_last), seal_again), anchored=True
    ),
    "a seal changed": found("verify.seal", "I5", run("UPDATE sys_seal SET digest = 'f00' || digest WHERE id = 1")),
    "a sealed head changed": found("verify.seal", "I5", run("UPDATE sys_seal_head SET head = 'f00' || head")),
    "goods that were never there": found(
        "verify.negative", "I2", hiding(run("UPDATE sys_entry SET quantity = quantity - 100000000000 WHERE id = :last"))
    ),
    "a document set back": found(
        "verify.entries_left",
        "I4",
        lambda connection, declared: run(
            "UPDATE t_{} SET doc_status = 'draft'".format(
                connection.exec_driver_sql("SELECT form FROM sys_entry ORDER BY id LIMIT 1").scalar_one()
            )
        )(connection, declared),
    ),
}
