"""What approved documents say is made of what."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from engine.definitions.form import TreeDef
from engine.document import DocStatus
from runtime.storage.app_tables import AppTables


def arcs(connection: sa.Connection, tables: AppTables, form: str, tree: TreeDef) -> Mapping[int, set[int]]:
    """Record → the records it contains, by every approved document of ``form``: one query."""
    found = tables.forms[form]
    lines = found.line_rows[tree.table]
    whole, part = found.rows.fields[tree.whole], lines.fields[tree.part]
    query = (
        sa.select(whole, part)
        .join_from(found.header, lines.table, lines.table.c.document == found.header.c.id)
        .where(found.header.c.doc_status == str(DocStatus.APPROVED), whole.is_not(None), part.is_not(None))
        .distinct()
    )
    graph: dict[int, set[int]] = {}
    for one, other in connection.execute(query):
        graph.setdefault(one, set()).add(other)
    return graph
