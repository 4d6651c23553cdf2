"""Facade views as JSON: values under ``data`` exactly as they may be sent back, texts for people under ``text``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from engine.problems import Refused, problem
from runtime.facade.documents import Outcome
from runtime.facade.door import Door
from runtime.facade.list_views import ListView
from runtime.facade.stock import EntryView, LevelView, figure
from runtime.facade.views import DocumentView, TaskView
from runtime.web.dependencies import number_in


def document_json(view: DocumentView) -> dict[str, Any]:
    """A document: system facts on top, ``data`` as a client may send it again, ``text`` as people read it."""
    data: dict[str, Any] = {key: cell.value for key, cell in view.values.items()}
    text: dict[str, Any] = {key: cell.text for key, cell in view.values.items()}
    for table, lines in view.lines.items():
        data[table] = [
            {
                "id": line.id,
                **{key: cell.value for key, cell in line.cells.items()},
                **({"source": _source(line.source)} if line.source else {}),
            }
            for line in lines
        ]
        text[table] = [{key: cell.text for key, cell in line.cells.items()} for line in lines]
    return {
        "form": view.form,
        "id": view.id,
        "number": view.number or None,
        "version": view.version,
        "doc_status": view.status,
        "exec_status": view.exec_status or None,
        "settle_status": view.settle_status or None,
        "biz_date": view.biz_date.isoformat() if view.biz_date else None,
        "data": data,
        "text": text,
        "tags": list(view.tags),
        "actions": [
            {"key": one.key, "label": one.label, "allowed": one.allowed, "reason": one.reason or None}
            for one in view.actions
        ],
        "pushes": [
            {
                "form": one.form,
                "variant": one.variant,
                "label": one.label,
                "allowed": one.allowed,
                "reason": one.reason or None,
            }
            for one in view.pushes
        ],
        "chain": [
            {"form": one.form, "id": one.id, "number": one.number, "doc_status": one.status, "level": one.level}
            for one in view.chain
        ],
    }


def outcome_json(door: Door, outcome: Outcome) -> dict[str, Any]:
    """What a submission did."""
    return {
        "form": outcome.form,
        "id": outcome.document,
        "number": outcome.number,
        "version": outcome.version,
        "doc_status": str(outcome.status),
        "exec_status": str(outcome.exec_status),
        "did": [door.say(one) for one in outcome.did],
        "warnings": [{"code": one.code, "where": one.where, "text": door.say(one)} for one in outcome.warnings],
        "repeated": outcome.repeated,
    }


def list_json(view: ListView) -> dict[str, Any]:
    """A page of a list."""
    return {
        "form": view.form,
        "columns": [{"path": one.path, "label": one.label, "type": one.type_name} for one in view.columns],
        "rows": [
            {
                "id": row.id,
                "doc_status": row.status,
                "data": {path: cell.value for path, cell in row.cells.items()},
                "text": {path: cell.text for path, cell in row.cells.items()},
                "tags": list(row.tags),
            }
            for row in view.rows
        ],
        "next": view.next,
        "previous": view.previous,
    }


def level_json(level: LevelView) -> dict[str, Any]:
    """A line of the stock page."""
    return {
        "product": level.product,
        "product_text": level.product_text,
        "warehouse": level.warehouse,
        "warehouse_text": level.warehouse_text,
        "unit": level.unit,
        **{measure: figure(value) for measure, value in level.figures.items()},
        "mixed": dict(level.mixed),
        "aux": figure(level.aux) if level.second else None,
        "expired": figure(level.expired),
        "safety_stock": _figure(level.safety_stock),
        "below_safety": level.below_safety,
    }


def entry_json(entry: EntryView) -> dict[str, Any]:
    """A ledger entry; without ``value`` where the caller may not see it."""
    shown: dict[str, Any] = {
        "id": entry.id,
        "ledger": entry.ledger,
        "biz_date": entry.biz_date.isoformat(),
        "posted_at": entry.posted_at.isoformat() if entry.posted_at else None,
        "move": entry.move,
        "product_text": entry.product_text,
        "warehouse_text": entry.warehouse_text,
        "quantity": figure(entry.quantity),
        "aux": figure(entry.aux) if entry.second else None,
        "form": entry.form or None,
        "document": entry.document if entry.form else None,
        "number": entry.number or None,
    }
    if entry.value is not None:
        shown["value"] = figure(entry.value)
    return shown


def cursor_json(place: tuple[int, int] | None) -> str | None:
    """Where the next page begins: product and warehouse."""
    return None if place is None else f"{place[0]}-{place[1]}"


def place_of(cursor: str) -> tuple[int, int] | None:
    """The product and warehouse a page goes on after; None for the first page.

    Raises:
        Refused: for what no page ever gave.
    """
    if not cursor:
        return None
    product, _, warehouse = cursor.partition("-")
    left, right = number_in(product), number_in(warehouse)
    if left is None or right is None:
        raise Refused([problem("storage.bad_cursor", "after")])
    return left, right


def task_json(task: TaskView) -> dict[str, Any]:
    """An open to-do."""
    return {
        "id": task.id,
        "kind": task.kind,
        "title": task.title,
        "form": task.form or None,
        "document": task.document,
        "since": task.since.isoformat(),
    }


def plain(value: object) -> object:
    """Frozen views as JSON: figures as text, days as ISO dates, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Decimal):
        return figure(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return value


def plain_object(view: object) -> Mapping[str, Any]:
    """`plain` of one view."""
    return cast("Mapping[str, Any]", plain(view))


def _source(source: tuple[str, int, int]) -> Mapping[str, object]:
    form, document, line = source
    return {"form": form, "document": document, "line": line}


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else figure(value)
