"""Which line was pushed down into which: the chain of documents (上下游) and the base of execution status.

A link is ``open`` while its target is a draft or under way, ``done`` once it is approved, ``dropped`` when it was
voided or deleted. Quantities are in base units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import sqlalchemy as sa

from runtime.storage.product_tables import link
from runtime.storage.row_writing import Writer

State = Literal["open", "done", "dropped"]
COLUMNS = (
    "source_form", "source_id", "source_line", "target_form", "target_id", "target_line", "variant", "quantity",
    "state",
)  # fmt: skip
WRITER = Writer(link, COLUMNS)
SELECT = sa.select(*(link.c[name] for name in COLUMNS))
OF_SOURCE = SELECT.where(
    link.c.source_form == sa.bindparam("form"), link.c.source_line.in_(sa.bindparam("lines", expanding=True))
).order_by(link.c.id)
OF_SOURCE_DOCUMENT = SELECT.where(
    link.c.source_form == sa.bindparam("form"), link.c.source_id == sa.bindparam("document")
).order_by(link.c.id)
OF_TARGET = SELECT.where(
    link.c.target_form == sa.bindparam("form"), link.c.target_id == sa.bindparam("document")
).order_by(link.c.id)
DEEPEST = 8
WIDEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One target line made from one source line."""

    source_form: str
    source_id: int
    source_line: int
    target_form: str
    target_id: int
    target_line: int
    variant: str = ""
    quantity: Decimal
    state: State = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A document up (negative ``level``) or down (positive) the chain."""

    form: str
    document: int
    level: int


def add(connection: sa.Connection, rows: Iterable[Link]) -> None:
    """Add links."""
    WRITER.insert(connection, [tuple(getattr(row, name) for name in COLUMNS) for row in rows])


def of_source(connection: sa.Connection, form: str, lines: Iterable[int]) -> tuple[Link, ...]:
    """Links that leave the given lines of ``form``, in the order they were made."""
    wanted = sorted(set(lines))
    if not wanted:
        return ()
    rows = connection.execute(OF_SOURCE, {"form": form, "lines": wanted}).mappings()
    return tuple(Link(**row) for row in rows)


def of_source_document(connection: sa.Connection, form: str, document: int) -> tuple[Link, ...]:
    """Links that leave any line of the document."""
    rows = connection.execute(OF_SOURCE_DOCUMENT, {"form": form, "document": document}).mappings()
    return tuple(Link(**row) for row in rows)


def of_target(connection: sa.Connection, form: str, document: int) -> tuple[Link, ...]:
    """Links that arrive at the document."""
    rows = connection.execute(OF_TARGET, {"form": form, "document": document}).mappings()
    return tuple(Link(**row) for row in rows)


def set_state(connection: sa.Connection, target_form: str, target_id: int, state: State) -> None:
    """Set the state of all links that arrive at the document."""
    WRITER.update(connection, ("state",), ("target_form", "target_id"), ((state, target_form, target_id),))


def remove(connection: sa.Connection, target_form: str, target_id: int) -> None:
    """Remove the links of a draft that is about to be stored with others, or deleted."""
    connection.execute(link.delete().where(link.c.target_form == target_form, link.c.target_id == target_id))


def chain(connection: sa.Connection, form: str, document: int) -> tuple[Neighbour, ...]:
    """All documents before and after this one, nearest first; one query per level."""
    found: list[Neighbour] = []
    for step in (-1, 1):
        known = {(form, document)}
        border: Sequence[tuple[str, int]] = [(form, document)]
        for depth in range(1, DEEPEST + 1):
            border = [each for each in _next(connection, border, step) if each not in known][:WIDEST]
            known.update(border)
            found.extend(Neighbour(form=each[0], document=each[1], level=step * depth) for each in border)
            if not border:
                break
    return tuple(sorted(found, key=lambda each: (abs(each.level), each.level, each.form, each.document)))


def _next(connection: sa.Connection, border: Sequence[tuple[str, int]], step: int) -> list[tuple[str, int]]:
    near, far = ("source", "target") if step > 0 else ("target", "source")
    here = sa.or_(
        *(sa.and_(link.c[f"{near}_form"] == form, link.c[f"{near}_id"] == document) for form, document in border)
    )
    query = sa.select(link.c[f"{far}_form"], link.c[f"{far}_id"]).where(here, link.c.state != "dropped").distinct()
    return sorted((row[0], row[1]) for row in connection.execute(query))
