"""The product's own tables, ``sys_*``: the same in every workspace, whatever its app looks like.

Their shape changes only through an Alembic revision in ``runtime/migrations``; a test compares the two. Ledger entries,
history, the approval log and snapshots are append-only, which triggers made by the first revision enforce.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.values import QUANTITY_SCALE
from runtime.storage.column_types import TEXT, JsonText, Scaled
from runtime.storage.ledger_tables import LEDGER_TABLES
from runtime.storage.process_tables import PROCESS_TABLES
from runtime.storage.table_parts import (
    MOMENT,
    PRODUCT,
    WHOLE,
    identity,
    json,
    maybe,
    moment,
    number,
    text,
)

setting = sa.Table("sys_setting", PRODUCT, text("key", key=True), json("value"))

snapshot = sa.Table(
    "sys_snapshot",
    PRODUCT,
    text("hash", key=True),
    text("app"),
    text("version"),
    json("files"),
    moment("published_at"),
    text("publisher"),
    number("number"),
)
current = sa.Table("sys_current", PRODUCT, text("app", key=True), text("hash"), moment("since"))

department = sa.Table(
    "sys_department",
    PRODUCT,
    identity(),
    text("name"),
    maybe("parent", WHOLE),
    maybe("head_user", WHOLE),
)
user = sa.Table(
    "sys_user",
    PRODUCT,
    identity(),
    sa.Column("login", TEXT, nullable=False, unique=True),
    text("name"),
    text("password_hash"),
    text("language"),
    maybe("department", WHOLE),
    sa.Column("active", sa.Boolean, nullable=False),
    json("attributes"),
    moment("created_at"),
    number("failed_count"),
    maybe("locked_until", MOMENT),
    text("theme"),
)
user_role = sa.Table(
    "sys_user_role",
    PRODUCT,
    number("user", key=True),
    text("app", key=True),
    text("role", key=True),
    sa.Index("ix_sys_user_role_role", "app", "role"),
)
session = sa.Table(
    "sys_session",
    PRODUCT,
    text("token_hash", key=True),
    number("user"),
    text("csrf"),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
    sa.Index("ix_sys_session_user", "user"),
)
api_key = sa.Table(
    "sys_api_key",
    PRODUCT,
    identity(),
    sa.Column("key_hash", TEXT, nullable=False, unique=True),
    text("prefix"),
    number("user"),
    text("label"),
    moment("created_at"),
    maybe("last_used_at", MOMENT),
    maybe("revoked_at", MOMENT),
)

history = sa.Table(
    "sys_history",
    PRODUCT,
    identity(),
    text("form"),
    number("document"),
    number("version"),
    moment("at"),
    number("user"),
    text("user_name"),
    text("action"),
    json("changes"),
    text("reason"),
    text("origin"),
    sa.Index("ix_sys_history_document", "form", "document", "id"),
)
counter = sa.Table("sys_counter", PRODUCT, text("name", key=True), text("period", key=True), number("value"))
file = sa.Table(
    "sys_file",
    PRODUCT,
    text("id", key=True),
    text("name"),
    text("media_type"),
    number("size"),
    text("sha256"),
    number("creator"),
    moment("created_at"),
)

link = sa.Table(
    "sys_link",
    PRODUCT,
    identity(),
    text("source_form"),
    number("source_id"),
    number("source_line"),
    text("target_form"),
    number("target_id"),
    number("target_line"),
    text("variant"),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    text("state"),
    sa.Index("ix_sys_link_source", "source_form", "source_id", "source_line"),
    sa.Index("ix_sys_link_source_line", "source_form", "source_line"),
    sa.Index("ix_sys_link_target", "target_form", "target_id", "target_line"),
)

outbox = sa.Table(
    "sys_outbox",
    PRODUCT,
    identity(allocated=True),
    text("kind"),
    json("payload"),
    text("form"),
    maybe("document", WHOLE),
    moment("created_at"),
    text("snapshot"),
    number("user"),
    maybe("handed_at", MOMENT),
    maybe("done_at", MOMENT),
    number("attempts"),
    maybe("error", TEXT),
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
    text("key", key=True),
    number("user", key=True),
    text("fingerprint"),
    json("outcome"),
    moment("created_at"),
)

import_run = sa.Table(
    "sys_import",
    PRODUCT,
    identity(),
    text("form"),
    text("file_name"),
    text("file_hash"),
    text("mode"),
    text("state"),
    number("total"),
    number("done"),
    number("created"),
    number("updated"),
    number("skipped"),
    number("failed"),
    json("mapping"),
    json("options"),
    number("created_by"),
    moment("created_at"),
    maybe("finished_at", MOMENT),
    maybe("undone_at", MOMENT),
    maybe("error", TEXT),
)
import_row = sa.Table(
    "sys_import_row",
    PRODUCT,
    number("import", key=True),
    number("row", key=True),
    number("document", key=True),
    text("action"),
    maybe("before", JsonText()),
)
import_mapping = sa.Table(
    "sys_import_mapping", PRODUCT, text("form", key=True), text("signature", key=True), json("mapping")
)
preference = sa.Table("sys_preference", PRODUCT, number("user", key=True), text("key", key=True), json("value"))
audit = sa.Table("sys_audit", PRODUCT, identity(), moment("at"), maybe("user", WHOLE), text("event"), json("detail"))

# Every table of the product: those above, and those of ledgers and processes, which have modules of their own.
ALL_TABLES = (LEDGER_TABLES + PROCESS_TABLES)[0].metadata
