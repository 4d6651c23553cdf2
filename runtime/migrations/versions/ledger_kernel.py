"""Ledger kernel: more dimensions, cost order, layers, lots, closings, and the chain of entries.

Balances get one text as their key; they are a projection and are folded anew from the entries. Entries written before
are stated as the first kernel found them and are linked into their chains (see runtime/migrations/ledger_kernel_data).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runtime.migrations.ledger_kernel_data import carry_over
from runtime.storage.column_types import ID, TEXT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger()
SEALS = ("sys_seal", "sys_seal_head")


def upgrade() -> None:
    """Widen entries, make the tables of the kernel, and carry over what was posted."""
    _widen_entries()
    op.drop_index("ix_sys_balance_product", "sys_balance")
    op.drop_table("sys_balance")
    _make_balances()
    _make_layers()
    _make_facts()
    _make_seals()
    carry_over(op.get_bind())


def downgrade() -> None:
    """Not offered: a chain cannot be unlinked."""
    raise RuntimeError("restore a backup instead")


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, WHOLE, primary_key=key, nullable=False, autoincrement=False)


def _index(name: str, table: str, columns: list[str], condition: str = "") -> None:
    where = sa.text(condition) if condition else None
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _widen_entries() -> None:
    for name in ("bin", "owner", "subject", "aux", "origin", "stated"):
        op.add_column("sys_entry", sa.Column(name, WHOLE, nullable=False, server_default="0"))
    for name in ("lot", "serial", "status", "element", "hash"):
        op.add_column("sys_entry", sa.Column(name, TEXT, nullable=False, server_default=""))
    op.add_column("sys_entry", sa.Column("basis", TEXT, nullable=False, server_default="given"))
    op.add_column("sys_entry", sa.Column("due", sa.Date(), nullable=True))
    _index("ix_sys_entry_day", "sys_entry", ["ledger", "product", "biz_date", "id"])
    _index("ix_sys_entry_lot", "sys_entry", ["product", "lot"], "lot <> ''")
    _index("ix_sys_entry_serial", "sys_entry", ["serial"], "serial <> ''")
    _index("ix_sys_entry_subject", "sys_entry", ["subject", "ledger", "biz_date"], "subject <> 0")
    _index("ix_sys_entry_partner", "sys_entry", ["ledger", "partner", "id"], "partner <> 0")
    _index("ix_sys_entry_origin", "sys_entry", ["origin"], "origin <> 0")
    _index("ix_sys_entry_ref", "sys_entry", ["ref_form", "ref_document"], "ref_document <> 0")


def _make_balances() -> None:
    op.create_table(
        "sys_balance",
        _text("key", key=True),
        *(_text(name) for name in ("ledger", "grain")),
        *(_number(name) for name in ("product", "warehouse", "bin")),
        *(_text(name) for name in ("lot", "serial", "status")),
        *(_number(name) for name in ("owner", "partner", "subject")),
        *(_text(name) for name in ("element", "ref_form")),
        *(_number(name) for name in ("ref_document", "ref_line")),
        _text("move"),
        *(_number(name) for name in ("month", "quantity", "value")),
        sa.Column("last_day", sa.Date(), nullable=True),
        _number("entries"),
        _text("head"),
        _number("version"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sys_balance")),
        sqlite_with_rowid=False,
    )
    _index("ix_sys_balance_product", "sys_balance", ["grain", "product", "warehouse"])
    _index("ix_sys_balance_partner", "sys_balance", ["ledger", "partner"], "partner <> 0")
    _index("ix_sys_balance_subject", "sys_balance", ["ledger", "subject"], "subject <> 0")


def _make_layers() -> None:
    op.create_table(
        "sys_layer",
        _text("pool", key=True),
        _number("entry", key=True),
        _number("part", key=True),
        sa.Column("day", sa.Date(), nullable=False),
        *(_number(name) for name in ("root", "quantity", "value")),
        sa.PrimaryKeyConstraint("pool", "entry", "part", name=op.f("pk_sys_layer")),
    )
    _index("ix_sys_layer_open", "sys_layer", ["pool", "day", "root", "entry", "part"], "quantity <> 0")
    _index("ix_sys_layer_entry", "sys_layer", ["entry"])
    op.create_table(
        "sys_layer_use",
        *(_number(name, key=True) for name in ("entry", "layer", "part")),
        *(_number(name) for name in ("quantity", "value")),
        sa.PrimaryKeyConstraint("entry", "layer", "part", name=op.f("pk_sys_layer_use")),
    )
    _index("ix_sys_layer_use_layer", "sys_layer_use", ["layer"])


def _make_facts() -> None:
    op.create_table(
        "sys_lot",
        _number("product", key=True),
        _text("lot", key=True),
        sa.Column("made", sa.Date(), nullable=True),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("received", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("product", "lot", name=op.f("pk_sys_lot")),
    )
    op.create_table(
        "sys_closing",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        _text("kind"),
        _number("warehouse"),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=False),
        _number("closed_by"),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("reopened_at", sa.DateTime(), nullable=True),
        sa.Column("reopened_by", WHOLE, nullable=True),
        _text("reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_closing")),
    )


def _make_seals() -> None:
    op.create_table(
        "sys_seal",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("sealed_at", sa.DateTime(), nullable=False),
        _number("chains"),
        _text("previous"),
        _text("digest"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_seal")),
    )
    op.create_table(
        "sys_seal_head",
        _number("seal", key=True),
        _text("key", key=True),
        _number("entries"),
        _text("head"),
        sa.PrimaryKeyConstraint("seal", "key", name=op.f("pk_sys_seal_head")),
    )
    _index("ix_sys_seal_head_key", "sys_seal_head", ["key"])
    for table in SEALS:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION sys_refuse_change()"
    )
