"""The tables of workflows, rules and messages: runs, tasks, timers, the logs of both engines, deliveries, stand-ins.

``sys_run_entry`` and ``sys_approval_log`` are append-only. A run is stored as one JSON text and can be built again from
its entries; tasks are what people see of its open seats.
"""

from __future__ import annotations

import sqlalchemy as sa

from runtime.storage.column_types import TEXT
from runtime.storage.table_parts import MOMENT, PRODUCT, WHOLE, identity, json, maybe, moment, number, partial, text

run = sa.Table(
    "sys_run",
    PRODUCT,
    identity(),
    text("form"),
    number("document"),
    text("workflow"),
    text("snapshot"),
    json("state"),
    moment("started_at"),
    number("started_by"),
    maybe("finished_at", MOMENT),
    maybe("result", TEXT),
    # Added by the migration `workflow_rules` to a table that had rows, hence with defaults.
    number("parent_run", default="0"),  # of a sub-flow's child: the run that waits for it
    number("parent_token", default="0"),
    text("stuck", default=""),  # code of the reason, while any token is stuck
    number("entries", default="0"),
    sa.Index("ix_sys_run_document", "form", "document"),
    sa.Index("ix_sys_run_open", "workflow", "id", **partial("finished_at IS NULL")),
    sa.Index("ix_sys_run_starter", "started_by", "id"),
    sa.Index("ix_sys_run_parent", "parent_run", **partial("parent_run <> 0")),
)
run_entry = sa.Table(
    "sys_run_entry",
    PRODUCT,
    number("run", key=True),
    number("number", key=True),
    text("kind"),
    number("by"),
    moment("at"),
    json("move"),
    json("found"),
)
task = sa.Table(
    "sys_task",
    PRODUCT,
    identity(),
    text("kind"),
    maybe("user", WHOLE),
    maybe("role", TEXT),
    text("form"),
    maybe("document", WHOLE),
    maybe("run", WHOLE),
    text("node"),
    text("title_zh"),
    text("title_en"),
    text("once_key"),
    moment("created_at"),
    maybe("due_at", MOMENT),
    maybe("done_at", MOMENT),
    maybe("done_by", WHOLE),
    maybe("outcome", TEXT),
    number("seat", default="0"),
    text("step", default=""),  # approve or fill, of a workflow's task
    text("rule", default=""),
    text("behalf", default=""),  # ids of whose say it is, with blanks between, unless it is only the user's own
    maybe("reminded_at", MOMENT),
    sa.Index("ix_sys_task_user", "user", "done_at"),
    sa.Index("ix_sys_task_role", "role", "done_at"),
    sa.Index("ix_sys_task_document", "form", "document"),
    sa.Index("ix_sys_task_run", "run"),
    sa.Index("ix_sys_task_once_key", "once_key"),
    sa.Index("ix_sys_task_done", "done_by", "done_at"),
)
approval_log = sa.Table(
    "sys_approval_log",
    PRODUCT,
    identity(),
    number("run"),
    text("form"),
    number("document"),
    text("node"),
    text("label_zh"),
    text("label_en"),
    number("user"),
    text("user_name"),
    text("action"),
    text("reason"),
    moment("at"),
    text("behalf", default=""),  # as of the task
    maybe("arrived_at", MOMENT),  # since when it had waited: 停留时长
    maybe("signature", WHOLE),
    text("others", default=""),  # names of the people it is about
    text("files", default=""),  # ids of the files attached to it, with blanks between
    sa.Index("ix_sys_approval_log_document", "form", "document", "id"),
)
copied = sa.Table(
    "sys_copy",
    PRODUCT,
    identity(),
    number("run"),
    text("form"),
    number("document"),
    text("node"),
    number("user"),
    moment("at"),
    maybe("read_at", MOMENT),
    sa.Index("ix_sys_copy_user", "user", "id"),
    sa.Index("ix_sys_copy_document", "form", "document"),
)
timer = sa.Table(
    "sys_timer",
    PRODUCT,
    identity(),
    text("kind"),  # flow, rule, escalation, digest
    number("run"),
    number("token"),
    number("number"),
    text("node"),
    text("rule"),
    text("form"),
    number("document"),
    text("key"),
    moment("due_at"),
    moment("created_at"),
    maybe("done_at", MOMENT),
    maybe("outcome", TEXT),  # fired or void
    sa.Index("ix_sys_timer_due", "due_at", **partial("done_at IS NULL")),
    sa.Index("ix_sys_timer_run", "run", "token"),
    sa.Index("ix_sys_timer_rule", "rule", "key"),
)
stand_in = sa.Table(
    "sys_stand_in",
    PRODUCT,
    identity(),
    number("user"),
    number("to_user"),
    text("form"),  # empty: every form
    moment("from_at"),
    moment("until_at"),
    text("reason"),
    number("created_by"),
    moment("created_at"),
    maybe("ended_at", MOMENT),
    sa.Index("ix_sys_stand_in_user", "user"),
    sa.Index("ix_sys_stand_in_to_user", "to_user"),
)
proposal = sa.Table(
    "sys_proposal",  # a change that waits for agreement (先批后改)
    PRODUCT,
    identity(),
    number("run"),
    text("form"),
    number("document"),
    number("version"),
    json("patch"),
    moment("created_at"),
    number("user"),
    maybe("ended_at", MOMENT),
    maybe("outcome", TEXT),
    sa.Index("ix_sys_proposal_document", "form", "document"),
)
message = sa.Table(
    "sys_message",
    PRODUCT,
    identity(),
    number("user"),
    text("title_zh"),
    text("title_en"),
    text("form"),
    maybe("document", WHOLE),
    moment("created_at"),
    maybe("read_at", MOMENT),
    text("kind", default="rule"),
    text("body_zh", default=""),
    text("body_en", default=""),
    sa.Index("ix_sys_message_user", "user", "id"),
    sa.Index("ix_sys_message_unread", "user", **partial("read_at IS NULL")),
)
delivery = sa.Table(
    "sys_delivery",  # one message to one address outside
    PRODUCT,
    identity(allocated=True),
    number("outbox"),
    text("channel"),
    text("address"),
    number("user"),
    text("event"),
    json("payload"),
    text("message_id"),  # the same for every attempt: receivers tell repeats by it
    text("state"),  # waiting, done, dead
    number("attempts"),
    moment("created_at"),
    moment("next_at"),
    maybe("done_at", MOMENT),
    number("status"),
    text("error"),
    sa.Index("ix_sys_delivery_next", "next_at", **partial("state = 'waiting'")),
    sa.Index("ix_sys_delivery_state", "state", "id"),
    sa.Index("ix_sys_delivery_message", "message_id"),
)
endpoint = sa.Table(
    "sys_endpoint",  # addresses and secrets, which do not belong into definitions
    PRODUCT,
    identity(),
    text("kind"),  # channel, outbound, inbound
    text("key"),
    text("address"),
    text("secret"),
    text("old_secret"),  # still accepted until replaced_at has passed a day
    maybe("replaced_at", MOMENT),
    json("options"),
    sa.Column("active", sa.Boolean, nullable=False),
    number("user"),
    moment("created_at"),
    sa.UniqueConstraint("kind", "key", name="uq_sys_endpoint_kind_key"),
)
received = sa.Table(
    "sys_received",  # inbound messages, so that none counts twice
    PRODUCT,
    text("endpoint", key=True),
    text("message_id", key=True),
    moment("at"),
    number("outbox"),
)
rule_run = sa.Table(
    "sys_rule_run",
    PRODUCT,
    identity(),
    text("rule"),
    text("snapshot"),
    text("trigger"),
    text("form"),
    number("document"),
    text("key"),
    number("user"),
    moment("at"),
    text("verdict"),  # fired, quiet, rejected, warned, failed, cut
    json("facts"),
    json("effects"),
    json("error"),
    json("chain"),
    number("duration_us"),
    number("rerun_of"),
    sa.Index("ix_sys_rule_run_rule", "rule", "id"),
    sa.Index("ix_sys_rule_run_document", "form", "document", "id"),
    sa.Index("ix_sys_rule_run_verdict", "verdict", "id"),
)
rule_mark = sa.Table(
    "sys_rule_mark",  # when a rule last fired about something: cooldown, date triggers
    PRODUCT,
    text("rule", key=True),
    text("key", key=True),
    moment("at"),
)
tag = sa.Table(
    "sys_tag",
    PRODUCT,
    text("form", key=True),
    number("document", key=True),
    text("tag_zh", key=True),
    text("tag_en"),
    text("rule"),
    moment("at"),
    sa.Index("ix_sys_tag_tag", "form", "tag_zh"),
)
alert = sa.Table(
    "sys_alert",
    PRODUCT,
    text("rule", key=True),
    text("key", key=True),
    moment("opened_at"),
    maybe("closed_at", MOMENT),
)

PROCESS_TABLES = (
    run, run_entry, task, approval_log, copied, timer, stand_in, proposal, message, delivery, endpoint, received,
    rule_run, rule_mark, tag, alert,
)  # fmt: skip
