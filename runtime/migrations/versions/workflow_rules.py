"""Workflows and rules: the log of runs, timers, stand-ins, copies, proposals, deliveries, the log of rules, tags.

Runs, tasks, the approval log and messages get further columns; what was written before keeps its meaning.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from runtime.storage.column_types import ID, TEXT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger()
MOMENT = sa.DateTime()


def upgrade() -> None:
    """Widen the tables there are and make the new ones."""
    _widen()
    _make_flow_tables()
    _make_message_tables()
    _make_rule_tables()
    _refuse_changes("sys_run_entry")


def downgrade() -> None:
    """Not offered: what was decided cannot be forgotten."""
    raise RuntimeError("restore a backup instead")


def _identity() -> sa.Column[int]:
    return sa.Column("id", ID, autoincrement=True, nullable=False)


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, WHOLE, primary_key=key, nullable=False, autoincrement=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=False)


def _json(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _maybe(name: str, kind: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _index(name: str, table: str, columns: list[str], condition: str = "") -> None:
    where = sa.text(condition) if condition else None
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _add(table: str, *, numbers: tuple[str, ...] = (), texts: tuple[tuple[str, str], ...] = ()) -> None:
    for name in numbers:
        op.add_column(table, sa.Column(name, WHOLE, nullable=False, server_default="0"))
    for name, default in texts:
        op.add_column(table, sa.Column(name, TEXT, nullable=False, server_default=sa.text(f"'{default}'")))


def _widen() -> None:
    _add("sys_run", numbers=("parent_run", "parent_token", "entries"), texts=(("stuck", ""),))
    _index("ix_sys_run_open", "sys_run", ["workflow", "id"], "finished_at IS NULL")
    _index("ix_sys_run_starter", "sys_run", ["started_by", "id"])
    _index("ix_sys_run_parent", "sys_run", ["parent_run"], "parent_run <> 0")
    _add("sys_task", numbers=("seat",), texts=(("step", ""), ("rule", ""), ("behalf", "")))
    op.add_column("sys_task", _maybe("reminded_at", MOMENT))
    _index("ix_sys_task_done", "sys_task", ["done_by", "done_at"])
    _add("sys_approval_log", texts=(("behalf", ""), ("others", ""), ("files", "")))
    op.add_column("sys_approval_log", _maybe("arrived_at", MOMENT))
    op.add_column("sys_approval_log", _maybe("signature", WHOLE))
    _add("sys_message", texts=(("kind", "rule"), ("body_zh", ""), ("body_en", "")))
    _index("ix_sys_message_unread", "sys_message", ["user"], "read_at IS NULL")


def _make_flow_tables() -> None:
    op.create_table(
        "sys_run_entry",
        _number("run", key=True),
        _number("number", key=True),
        _text("kind"),
        _number("by"),
        _moment("at"),
        _json("move"),
        _json("found"),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_sys_run_entry")),
    )
    op.create_table(
        "sys_copy",
        _identity(),
        _number("run"),
        _text("form"),
        _number("document"),
        _text("node"),
        _number("user"),
        _moment("at"),
        _maybe("read_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_copy")),
    )
    _index("ix_sys_copy_document", "sys_copy", ["form", "document"])
    _index("ix_sys_copy_user", "sys_copy", ["user", "id"])
    op.create_table(
        "sys_timer",
        _identity(),
        _text("kind"),
        _number("run"),
        _number("token"),
        _number("number"),
        _text("node"),
        _text("rule"),
        _text("form"),
        _number("document"),
        _text("key"),
        _moment("due_at"),
        _moment("created_at"),
        _maybe("done_at", MOMENT),
        _maybe("outcome", TEXT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_timer")),
    )
    _index("ix_sys_timer_due", "sys_timer", ["due_at"], "done_at IS NULL")
    _index("ix_sys_timer_rule", "sys_timer", ["rule", "key"])
    _index("ix_sys_timer_run", "sys_timer", ["run", "token"])
    op.create_table(
        "sys_stand_in",
        _identity(),
        _number("user"),
        _number("to_user"),
        _text("form"),
        _moment("from_at"),
        _moment("until_at"),
        _text("reason"),
        _number("created_by"),
        _moment("created_at"),
        _maybe("ended_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_stand_in")),
    )
    _index("ix_sys_stand_in_to_user", "sys_stand_in", ["to_user"])
    _index("ix_sys_stand_in_user", "sys_stand_in", ["user"])
    op.create_table(
        "sys_proposal",
        _identity(),
        _number("run"),
        _text("form"),
        _number("document"),
        _number("version"),
        _json("patch"),
        _moment("created_at"),
        _number("user"),
        _maybe("ended_at", MOMENT),
        _maybe("outcome", TEXT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_proposal")),
    )
    _index("ix_sys_proposal_document", "sys_proposal", ["form", "document"])


def _make_message_tables() -> None:
    op.create_table(
        "sys_delivery",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("outbox"),
        _text("channel"),
        _text("address"),
        _number("user"),
        _text("event"),
        _json("payload"),
        _text("message_id"),
        _text("state"),
        _number("attempts"),
        _moment("created_at"),
        _moment("next_at"),
        _maybe("done_at", MOMENT),
        _number("status"),
        _text("error"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_delivery")),
    )
    _index("ix_sys_delivery_message", "sys_delivery", ["message_id"])
    _index("ix_sys_delivery_next", "sys_delivery", ["next_at"], "state = 'waiting'")
    _index("ix_sys_delivery_state", "sys_delivery", ["state", "id"])
    op.create_table(
        "sys_endpoint",
        _identity(),
        _text("kind"),
        _text("key"),
        _text("address"),
        _text("secret"),
        _text("old_secret"),
        _maybe("replaced_at", MOMENT),
        _json("options"),
        sa.Column("active", sa.Boolean(), nullable=False),
        _number("user"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_endpoint")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_sys_endpoint_kind_key")),
    )
    op.create_table(
        "sys_received",
        _text("endpoint", key=True),
        _text("message_id", key=True),
        _moment("at"),
        _number("outbox"),
        sa.PrimaryKeyConstraint("endpoint", "message_id", name=op.f("pk_sys_received")),
    )


def _make_rule_tables() -> None:
    op.create_table(
        "sys_rule_run",
        _identity(),
        _text("rule"),
        _text("snapshot"),
        _text("trigger"),
        _text("form"),
        _number("document"),
        _text("key"),
        _number("user"),
        _moment("at"),
        _text("verdict"),
        _json("facts"),
        _json("effects"),
        _json("error"),
        _json("chain"),
        _number("duration_us"),
        _number("rerun_of"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sys_rule_run")),
    )
    _index("ix_sys_rule_run_document", "sys_rule_run", ["form", "document", "id"])
    _index("ix_sys_rule_run_rule", "sys_rule_run", ["rule", "id"])
    _index("ix_sys_rule_run_verdict", "sys_rule_run", ["verdict", "id"])
    op.create_table(
        "sys_rule_mark",
        _text("rule", key=True),
        _text("key", key=True),
        _moment("at"),
        sa.PrimaryKeyConstraint("rule", "key", name=op.f("pk_sys_rule_mark")),
    )
    op.create_table(
        "sys_tag",
        _text("form", key=True),
        _number("document", key=True),
        _text("tag_zh", key=True),
        _text("tag_en"),
        _text("rule"),
        _moment("at"),
        sa.PrimaryKeyConstraint("form", "document", "tag_zh", name=op.f("pk_sys_tag")),
    )
    _index("ix_sys_tag_tag", "sys_tag", ["form", "tag_zh"])


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
