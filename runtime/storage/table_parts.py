"""What the definitions of the product's own tables share: their metadata and short forms for common columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from runtime.storage.column_types import ID, TEXT, JsonText

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
PRODUCT = sa.MetaData(naming_convention=dict(NAMES))
APPEND_ONLY = (
    "sys_entry", "sys_history", "sys_approval_log", "sys_snapshot", "sys_seal", "sys_seal_head", "sys_run_entry",
)  # fmt: skip
ID_SEQUENCE = "sys_id_seq"
MOMENT = sa.DateTime()
WHOLE = sa.BigInteger()


def identity(*, allocated: bool = False) -> sa.Column[int]:
    """``allocated``: the id comes from `ids.allocate` before the row is written."""
    return sa.Column("id", ID, primary_key=True, autoincrement=not allocated)


def text(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    """A text column; ``default`` is what the database puts into rows that were there before the column."""
    stored = None if default is None else sa.text(f"'{default}'")
    return sa.Column(name, TEXT, primary_key=key, nullable=False, server_default=stored)


def number(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(
        name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False, server_default=default
    )  # fmt: skip


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=False)


def maybe(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def json(name: str) -> sa.Column[object]:
    return sa.Column(name, JsonText, nullable=False)


def partial(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
