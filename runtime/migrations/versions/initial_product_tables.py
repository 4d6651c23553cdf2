"""Initial product tables, the sequence of ids, and the triggers that keep append-only tables append-only.

The tables are frozen here as they were at this revision; later revisions alter them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runtime.storage.column_types import ID, TEXT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("sys_entry", "sys_history", "sys_approval_log", "sys_snapshot")


def upgrade() -> None:
    """Make everything a new workspace needs before an app is published into it."""
    op.create_table(
        "sys_alert",
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("rule", "key", name=op.f("pk_sys_alert")),
    )
    op.create_table(
        "sys_api_key",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_sys_api_key_key_hash")),
    )
    op.create_table(
        "sys_approval_log",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", TEXT, nullable=False),
        sa.Column("label_zh", TEXT, nullable=False),
        sa.Column("label_en", TEXT, nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_name", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_approval_log")),
    )
    op.create_index("ix_sys_approval_log_document", "sys_approval_log", ["form", "document", "id"], unique=False)
    op.create_table(
        "sys_audit",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("user", sa.BigInteger(), nullable=True),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_audit")),
    )
    op.create_table(
        "sys_balance",
        sa.Column("ledger", TEXT, nullable=False),
        sa.Column("grain", TEXT, nullable=False),
        sa.Column("product", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warehouse", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("partner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref_form", TEXT, nullable=False),
        sa.Column("ref_line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "ledger", "grain", "product", "warehouse", "partner", "ref_form", "ref_line", name=op.f("pk_sys_balance")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sys_balance_product", "sys_balance", ["grain", "product", "warehouse"], unique=False)
    op.create_table(
        "sys_counter",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "period", name=op.f("pk_sys_counter")),
    )
    op.create_table(
        "sys_current",
        sa.Column("app", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("app", name=op.f("pk_sys_current")),
    )
    op.create_table(
        "sys_department",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("parent", sa.BigInteger(), nullable=True),
        sa.Column("head_user", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_department")),
    )
    op.create_table(
        "sys_entry",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("ledger", TEXT, nullable=False),
        sa.Column("product", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("warehouse", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("partner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref_form", TEXT, nullable=False),
        sa.Column("ref_document", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref_line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("move", TEXT, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("biz_date", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(), nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mirror_of", sa.BigInteger(), nullable=True),
        sa.Column("snapshot", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_entry")),
        sa.UniqueConstraint("mirror_of", name=op.f("uq_sys_entry_mirror_of")),
    )
    op.create_index("ix_sys_entry_document", "sys_entry", ["form", "document"], unique=False)
    op.create_index("ix_sys_entry_key", "sys_entry", ["ledger", "product", "warehouse", "id"], unique=False)
    op.create_table(
        "sys_file",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("creator", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_file")),
    )
    op.create_table(
        "sys_history",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_name", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_history")),
    )
    op.create_index("ix_sys_history_document", "sys_history", ["form", "document", "id"], unique=False)
    op.create_table(
        "sys_idempotency",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", "user", name=op.f("pk_sys_idempotency")),
    )
    op.create_table(
        "sys_import",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("file_name", TEXT, nullable=False),
        sa.Column("file_hash", TEXT, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("total", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("done", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("updated", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("skipped", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("failed", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("undone_at", sa.DateTime(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_import")),
    )
    op.create_table(
        "sys_import_mapping",
        sa.Column("form", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("form", "signature", name=op.f("pk_sys_import_mapping")),
    )
    op.create_table(
        "sys_import_row",
        sa.Column("import", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("import", "row", "document", name=op.f("pk_sys_import_row")),
    )
    op.create_table(
        "sys_link",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("source_form", TEXT, nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target_form", TEXT, nullable=False),
        sa.Column("target_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target_line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("variant", TEXT, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_link")),
    )
    op.create_index("ix_sys_link_source", "sys_link", ["source_form", "source_id", "source_line"], unique=False)
    op.create_index("ix_sys_link_source_line", "sys_link", ["source_form", "source_line"], unique=False)
    op.create_index("ix_sys_link_target", "sys_link", ["target_form", "target_id", "target_line"], unique=False)
    op.create_table(
        "sys_message",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title_zh", TEXT, nullable=False),
        sa.Column("title_en", TEXT, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_message")),
    )
    op.create_index("ix_sys_message_user", "sys_message", ["user", "id"], unique=False)
    op.create_table(
        "sys_outbox",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("snapshot", TEXT, nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("handed_at", sa.DateTime(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_outbox")),
    )
    op.create_index(
        "ix_sys_outbox_open",
        "sys_outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "sys_preference",
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user", "key", name=op.f("pk_sys_preference")),
    )
    op.create_table(
        "sys_run",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow", TEXT, nullable=False),
        sa.Column("snapshot", TEXT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("started_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("result", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_run")),
    )
    op.create_index("ix_sys_run_document", "sys_run", ["form", "document"], unique=False)
    op.create_table(
        "sys_session",
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("csrf", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sys_session")),
    )
    op.create_index("ix_sys_session_user", "sys_session", ["user"], unique=False)
    op.create_table(
        "sys_setting",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sys_setting")),
    )
    op.create_table(
        "sys_snapshot",
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("app", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.Column("publisher", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sys_snapshot")),
    )
    op.create_table(
        "sys_task",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("user", sa.BigInteger(), nullable=True),
        sa.Column("role", TEXT, nullable=True),
        sa.Column("form", TEXT, nullable=False),
        sa.Column("document", sa.BigInteger(), nullable=True),
        sa.Column("run", sa.BigInteger(), nullable=True),
        sa.Column("node", TEXT, nullable=False),
        sa.Column("title_zh", TEXT, nullable=False),
        sa.Column("title_en", TEXT, nullable=False),
        sa.Column("once_key", TEXT, nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_task")),
    )
    op.create_index("ix_sys_task_document", "sys_task", ["form", "document"], unique=False)
    op.create_index("ix_sys_task_once_key", "sys_task", ["once_key"], unique=False)
    op.create_index("ix_sys_task_role", "sys_task", ["role", "done_at"], unique=False)
    op.create_index("ix_sys_task_run", "sys_task", ["run"], unique=False)
    op.create_index("ix_sys_task_user", "sys_task", ["user", "done_at"], unique=False)
    op.create_table(
        "sys_user",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("login", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("department", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("failed_count", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("locked_until", sa.DateTime(), nullable=True),
        sa.Column("theme", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_user")),
        sa.UniqueConstraint("login", name=op.f("uq_sys_user_login")),
    )
    op.create_table(
        "sys_user_role",
        sa.Column("user", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("app", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("user", "app", "role", name=op.f("pk_sys_user_role")),
    )
    op.create_index("ix_sys_user_role_role", "sys_user_role", ["app", "role"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("sys_id_seq")))
        _refuse_changes_postgres()
    else:
        _refuse_changes_sqlite()


def _refuse_changes_sqlite() -> None:
    for table in APPEND_ONLY:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _refuse_changes_postgres() -> None:
    op.execute(
        "CREATE FUNCTION sys_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION sys_refuse_change()"
        )
