"""The product's own tables, ``sys_*``: the same in every workspace, whatever its app looks like.

Their shape changes only through an Alembic revision in ``runtime/migrations``; a test compares the two. Ledger entries,
history, the approval log and snapshots are append-only, which triggers made by the first revision enforce.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.values import MONEY_SCALE, QUANTITY_SCALE
from runtime.storage.column_types import ID, TEXT, JsonText, Scaled

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
PRODUCT = sa.MetaData(naming_convention=dict(NAMES))
APPEND_ONLY = ("sys_entry", "sys_history", "sys_approval_log", "sys_snapshot")
ID_SEQUENCE = "sys_id_seq"
MOMENT = sa.DateTime()
WHOLE = sa.BigInteger()


def _id(*, allocated: bool = False) -> sa.Column[int]:
    """``allocated``: the id comes from `ids.allocate` before the row is written."""
    return sa.Column("id", ID, primary_key=True, autoincrement=not allocated)


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=False)


def _maybe(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, JsonText, nullable=False)


setting = sa.Table("sys_setting", PRODUCT, _text("key", key=True), _json("value"))

snapshot = sa.Table(
    "sys_snapshot",
    PRODUCT,
    _text("hash", key=True),
    _text("app"),
    _text("version"),
    _json("files"),
    _moment("published_at"),
    _text("publisher"),
    _number("number"),
)
current = sa.Table("sys_current", PRODUCT, _text("app", key=True), _text("hash"), _moment("since"))

department = sa.Table(
    "sys_department",
    PRODUCT,
    _id(),
    _text("name"),
    _maybe("parent", WHOLE),
    _maybe("head_user", WHOLE),
)
user = sa.Table(
    "sys_user",
    PRODUCT,
    _id(),
    sa.Column("login", TEXT, nullable=False, unique=True),
    _text("name"),
    _text("password_hash"),
    _text("language"),
    _maybe("department", WHOLE),
    sa.Column("active", sa.Boolean, nullable=False),
    _json("attributes"),
    _moment("created_at"),
    _number("failed_count"),
    _maybe("locked_until", MOMENT),
    _text("theme"),
)
user_role = sa.Table(
    "sys_user_role",
    PRODUCT,
    _number("user", key=True),
    _text("app", key=True),
    _text("role", key=True),
    sa.Index("ix_sys_user_role_role", "app", "role"),
)
session = sa.Table(
    "sys_session",
    PRODUCT,
    _text("token_hash", key=True),
    _number("user"),
    _text("csrf"),
    _moment("created_at"),
    _moment("seen_at"),
    _moment("expires_at"),
    sa.Index("ix_sys_session_user", "user"),
)
api_key = sa.Table(
    "sys_api_key",
    PRODUCT,
    _id(),
    sa.Column("key_hash", TEXT, nullable=False, unique=True),
    _text("prefix"),
    _number("user"),
    _text("label"),
    _moment("created_at"),
    _maybe("last_used_at", MOMENT),
    _maybe("revoked_at", MOMENT),
)

history = sa.Table(
    "sys_history",
    PRODUCT,
    _id(),
    _text("form"),
    _number("document"),
    _number("version"),
    _moment("at"),
    _number("user"),
    _text("user_name"),
    _text("action"),
    _json("changes"),
    _text("reason"),
    _text("origin"),
    sa.Index("ix_sys_history_document", "form", "document", "id"),
)
counter = sa.Table("sys_counter", PRODUCT, _text("name", key=True), _text("period", key=True), _number("value"))
file = sa.Table(
    "sys_file",
    PRODUCT,
    _text("id", key=True),
    _text("name"),
    _text("media_type"),
    _number("size"),
    _text("sha256"),
    _number("creator"),
    _moment("created_at"),
)

run = sa.Table(
    "sys_run",
    PRODUCT,
    _id(),
    _text("form"),
    _number("document"),
    _text("workflow"),
    _text("snapshot"),
    _json("state"),
    _moment("started_at"),
    _number("started_by"),
    _maybe("finished_at", MOMENT),
    _maybe("result", TEXT),
    sa.Index("ix_sys_run_document", "form", "document"),
)
task = sa.Table(
    "sys_task",
    PRODUCT,
    _id(),
    _text("kind"),
    _maybe("user", WHOLE),
    _maybe("role", TEXT),
    _text("form"),
    _maybe("document", WHOLE),
    _maybe("run", WHOLE),
    _text("node"),
    _text("title_zh"),
    _text("title_en"),
    _text("once_key"),
    _moment("created_at"),
    _maybe("due_at", MOMENT),
    _maybe("done_at", MOMENT),
    _maybe("done_by", WHOLE),
    _maybe("outcome", TEXT),
    sa.Index("ix_sys_task_user", "user", "done_at"),
    sa.Index("ix_sys_task_role", "role", "done_at"),
    sa.Index("ix_sys_task_document", "form", "document"),
    sa.Index("ix_sys_task_run", "run"),
    sa.Index("ix_sys_task_once_key", "once_key"),
)
approval_log = sa.Table(
    "sys_approval_log",
    PRODUCT,
    _id(),
    _number("run"),
    _text("form"),
    _number("document"),
    _text("node"),
    _text("label_zh"),
    _text("label_en"),
    _number("user"),
    _text("user_name"),
    _text("action"),
    _text("reason"),
    _moment("at"),
    sa.Index("ix_sys_approval_log_document", "form", "document", "id"),
)
message = sa.Table(
    "sys_message",
    PRODUCT,
    _id(),
    _number("user"),
    _text("title_zh"),
    _text("title_en"),
    _text("form"),
    _maybe("document", WHOLE),
    _moment("created_at"),
    _maybe("read_at", MOMENT),
    sa.Index("ix_sys_message_user", "user", "id"),
)
alert = sa.Table(
    "sys_alert",
    PRODUCT,
    _text("rule", key=True),
    _text("key", key=True),
    _moment("opened_at"),
    _maybe("closed_at", MOMENT),
)

entry = sa.Table(
    "sys_entry",
    PRODUCT,
    _id(allocated=True),
    _text("ledger"),
    _number("product"),
    _number("warehouse"),
    _number("partner"),
    _text("ref_form"),
    _number("ref_document"),
    _number("ref_line"),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    sa.Column("value", Scaled(MONEY_SCALE), nullable=False),
    _text("move"),
    _text("form"),
    _number("document"),
    _number("line"),
    _text("action"),
    _number("batch"),
    sa.Column("biz_date", sa.Date, nullable=False),
    _moment("posted_at"),
    _number("user"),
    sa.Column("mirror_of", sa.BigInteger, nullable=True, unique=True),
    _text("snapshot"),
    sa.Index("ix_sys_entry_document", "form", "document"),
    sa.Index("ix_sys_entry_key", "ledger", "product", "warehouse", "id"),
)
balance = sa.Table(
    "sys_balance",
    PRODUCT,
    _text("ledger", key=True),
    _text("grain", key=True),
    _number("product", key=True),
    _number("warehouse", key=True),
    _number("partner", key=True),
    _text("ref_form", key=True),
    _number("ref_line", key=True),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    sa.Column("value", Scaled(MONEY_SCALE), nullable=False),
    _number("version"),
    sa.Index("ix_sys_balance_product", "grain", "product", "warehouse"),
    sqlite_with_rowid=False,
)
link = sa.Table(
    "sys_link",
    PRODUCT,
    _id(),
    _text("source_form"),
    _number("source_id"),
    _number("source_line"),
    _text("target_form"),
    _number("target_id"),
    _number("target_line"),
    _text("variant"),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    _text("state"),
    sa.Index("ix_sys_link_source", "source_form", "source_id", "source_line"),
    sa.Index("ix_sys_link_source_line", "source_form", "source_line"),
    sa.Index("ix_sys_link_target", "target_form", "target_id", "target_line"),
)

outbox = sa.Table(
    "sys_outbox",
    PRODUCT,
    _id(allocated=True),
    _text("kind"),
    _json("payload"),
    _text("form"),
    _maybe("document", WHOLE),
    _moment("created_at"),
    _text("snapshot"),
    _number("user"),
    _maybe("handed_at", MOMENT),
    _maybe("done_at", MOMENT),
    _number("attempts"),
    _maybe("error", TEXT),
    sa.Index(
        "ix_sys_outbox_open",
        "id",
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    ),
)
idempotency = sa.Table(
    "sys_idempotency",
    PRODUCT,
    _text("key", key=True),
    _number("user", key=True),
    _text("fingerprint"),
    _json("outcome"),
    _moment("created_at"),
)

import_run = sa.Table(
    "sys_import",
    PRODUCT,
    _id(),
    _text("form"),
    _text("file_name"),
    _text("file_hash"),
    _text("mode"),
    _text("state"),
    _number("total"),
    _number("done"),
    _number("created"),
    _number("updated"),
    _number("skipped"),
    _number("failed"),
    _json("mapping"),
    _json("options"),
    _number("created_by"),
    _moment("created_at"),
    _maybe("finished_at", MOMENT),
    _maybe("undone_at", MOMENT),
    _maybe("error", TEXT),
)
import_row = sa.Table(
    "sys_import_row",
    PRODUCT,
    _number("import", key=True),
    _number("row", key=True),
    _number("document", key=True),
    _text("action"),
    _maybe("before", JsonText()),
)
import_mapping = sa.Table(
    "sys_import_mapping", PRODUCT, _text("form", key=True), _text("signature", key=True), _json("mapping")
)
preference = sa.Table("sys_preference", PRODUCT, _number("user", key=True), _text("key", key=True), _json("value"))
audit = sa.Table("sys_audit", PRODUCT, _id(), _moment("at"), _maybe("user", WHOLE), _text("event"), _json("detail"))
