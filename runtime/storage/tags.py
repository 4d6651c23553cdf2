"""Tags on documents and records, put there and taken off by rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from engine.labels import Label
from runtime.storage.process_tables import tag
from runtime.storage.row_writing import Writer

WRITER = Writer(tag, ("form", "document", "tag_zh", "tag_en", "rule", "at"))


def put(connection: sa.Connection, form: str, document: int, label: Label, rule: str, at: datetime) -> None:
    """Put a tag on; once there, it stays as it is."""
    WRITER.insert_missing(connection, [(form, document, label.zh, label.en, rule, at)])


def take_off(connection: sa.Connection, form: str, document: int, label: Label) -> None:
    """Take a tag off, whoever put it there."""
    statement = tag.delete().where(tag.c.form == form, tag.c.document == document, tag.c.tag_zh == label.zh)
    connection.execute(statement)


def of_documents(connection: sa.Connection, form: str, ids: Iterable[int]) -> Mapping[int, tuple[Label, ...]]:
    """The tags of these records, in the order of their texts."""
    query = (
        sa.select(tag.c.document, tag.c.tag_zh, tag.c.tag_en)
        .where(tag.c.form == form, tag.c.document.in_(sorted(set(ids))))
        .order_by(tag.c.document, tag.c.tag_zh)
    )
    found: dict[int, tuple[Label, ...]] = {}
    for document, zh, en in connection.execute(query):
        found[document] = (*found.get(document, ()), Label(zh=zh, en=en))
    return found
