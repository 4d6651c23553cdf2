"""Tags in lists: which are in use on a form, and records that carry one, as a condition of its list."""

from __future__ import annotations

import sqlalchemy as sa

from engine.labels import Label
from runtime.storage.app_tables import AppTables
from runtime.storage.process_tables import tag
from runtime.storage.questions import Question

MOST = 50
IN_USE = Question(
    sa.select(tag.c.tag_zh, sa.func.max(tag.c.tag_en))
    .where(tag.c.form == sa.bindparam("form"))
    .group_by(tag.c.tag_zh)
    .order_by(tag.c.tag_zh)
    .limit(MOST)
)


def in_use(connection: sa.Connection, form: str) -> tuple[Label, ...]:
    """The tags records of the form carry, in the order of their texts, at most ``MOST``."""
    return tuple(Label(zh=zh, en=en) for zh, en in IN_USE.ask(connection, form=form))


def tagged(tables: AppTables, form: str, text: str) -> sa.ColumnElement[bool]:
    """Records of the form that carry the tag; ``text`` is its Chinese text, by which it is kept."""
    header = tables.forms[form].header
    carries = sa.exists().where(tag.c.form == form, tag.c.document == header.c.id, tag.c.tag_zh == text)
    return carries.correlate(header)
