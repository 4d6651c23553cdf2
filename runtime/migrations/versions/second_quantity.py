"""Balances keep the second quantity of catch weight goods beside quantity and value, folded from the entries.

Which dimensions a grain has is seen from its rows: one that all of them leave empty tells no entries apart. Frozen with
its revision: it knows the grains of then, not today's code.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBERS = ("product", "warehouse", "bin", "owner", "partner", "subject", "ref_document", "ref_line", "month")
TEXTS = ("lot", "serial", "status", "element", "ref_form", "move")
ENTRY = sa.table(
    "sys_entry",
    *(sa.column(name, sa.BigInteger) for name in (*NUMBERS, "aux") if name != "month"),
    *(sa.column(name, sa.Text) for name in (*TEXTS, "ledger")),
    sa.column("biz_date", sa.Date),
)
BALANCE = sa.table(
    "sys_balance",
    *(sa.column(name, sa.BigInteger) for name in (*NUMBERS, "aux")),
    *(sa.column(name, sa.Text) for name in (*TEXTS, "ledger", "grain")),
)
UNUSABLE = ("inspecting", "frozen", "damaged", "rejected", "expired", "returned")


def upgrade() -> None:
    """Add the column and fold it; a workspace without catch weight goods has nothing to fold."""
    op.add_column("sys_balance", sa.Column("aux", sa.BigInteger(), nullable=True))
    connection = op.get_bind()
    moved = sa.select(ENTRY.c.ledger).where(ENTRY.c.aux != 0).distinct()
    for ledger in connection.execute(moved).scalars().all():
        of_ledger = BALANCE.c.ledger == ledger
        for grain in connection.execute(sa.select(BALANCE.c.grain).where(of_ledger).distinct()).scalars().all():
            _fold(connection, ledger, grain)


def downgrade() -> None:
    """Not offered: what a later version counted cannot be forgotten."""
    raise RuntimeError("restore a backup instead")


def _fold(connection: sa.Connection, ledger: str, grain: str) -> None:
    here = sa.and_(BALANCE.c.ledger == ledger, BALANCE.c.grain == grain)
    used = [sa.func.max(sa.case((BALANCE.c[name] != 0, 1), else_=0)) for name in NUMBERS]
    used += [sa.func.max(sa.case((BALANCE.c[name] != "", 1), else_=0)) for name in TEXTS]
    row = connection.execute(sa.select(*used).where(here)).one()
    names = [name for name, told in zip((*NUMBERS, *TEXTS), row, strict=True) if told]
    columns = [_month(connection) if name == "month" else ENTRY.c[name] for name in names]
    sums = (
        sa.select(*columns, sa.func.sum(ENTRY.c.aux))
        .where(ENTRY.c.ledger == ledger, ENTRY.c.aux != 0, *_counted(grain))
        .group_by(*columns)
    )
    for *found, aux in connection.execute(sums).all():
        key = [BALANCE.c[name] == value for name, value in zip(names, found, strict=True)]
        connection.execute(BALANCE.update().where(here, *key).values(aux=int(aux) or None))


def _counted(grain: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Which entries of stock a grain counts; only stock has second quantities."""
    c = ENTRY.c
    match grain:
        case "cost":
            return (c.owner == 0,)
        case "detail":
            return (sa.or_(c.bin != 0, c.lot != "", c.serial != "", c.status != "", c.owner != 0),)
        case "unusable":
            return (sa.or_(c.status.in_(UNUSABLE), c.owner != 0),)
        case "serial":
            return (c.serial != "",)
    return ()


def _month(connection: sa.Connection) -> sa.ColumnElement[int]:
    text = (
        sa.func.strftime("%Y%m", ENTRY.c.biz_date)
        if connection.dialect.name == "sqlite"
        else sa.func.to_char(ENTRY.c.biz_date, "YYYYMM")
    )
    return sa.cast(text, sa.BigInteger())
