"""A document as the page's scripts read it: cells as ``[value, text]``, lines with their ids and sources, problems.

The shape is private to the page; the public one is the API's. Nothing is decided or masked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.problems import Problem
from runtime.facade.views import CellView, DocumentView, FieldView, FormView, LineView
from runtime.web.document_page import DAY, Page

Say = Callable[[Problem], tuple[str, str | None]]


def document_json(view: DocumentView) -> dict[str, Any]:
    """Cells of header and lines, and what may be typed into."""
    day = view.biz_date.isoformat() if view.biz_date else None
    header = {key: cell_json(cell) for key, cell in view.values.items()}
    return {
        "id": view.id,
        "version": view.version,
        "number": view.number,
        "title": view.title,
        "status": view.status,
        "header": header | ({DAY: [day, day]} if day else {}),
        "tables": {table: [line_json(line) for line in lines] for table, lines in view.lines.items()},
        "editable": sorted(view.editable),
        "absent": sorted(view.absent),
    }


def line_json(line: LineView) -> dict[str, Any]:
    """One line."""
    source = line.source
    return {
        "id": line.id,
        "source": {"form": source[0], "document": source[1], "line": source[2]} if source else None,
        "cells": {key: cell_json(cell) for key, cell in line.cells.items()},
    }


def cell_json(cell: CellView) -> list[object]:
    """Value and text."""
    return [cell.value, cell.text]


def problems_json(problems: Iterable[Problem], say: Say) -> list[dict[str, Any]]:
    """Problems with address, sentence and hint."""
    made = []
    for one in problems:
        text, hint = say(one)
        made.append({"code": one.code, "where": one.where, "severity": str(one.severity), "text": text, "hint": hint})
    return made


def fields_json(form: FormView, page: Page) -> dict[str, Any]:
    """What the scripts must know of every field, by path."""
    places = [place for section in page.sections for place in section.places if place.field.path == DAY]
    in_lines = (field for table in form.tables for field in table.fields)
    fields = (*form.fields, *(place.field for place in places), *in_lines)
    known = frozenset((field.table, field.key) for field in fields)
    prices: dict[str, list[str]] = {}
    for field in fields:
        if field.type_name == "price" and field.options.get("unit"):
            unit = field.options["unit"]
            prices.setdefault(f"{field.table}.{unit}" if field.table else str(unit), []).append(field.key)
    return {field.path: field_json(field, known, prices) for field in fields}


def field_json(field: FieldView, known: frozenset[tuple[str, str]], prices: Mapping[str, list[str]]) -> dict[str, Any]:
    """One field: how it is edited, which of the ``known`` (table, key) it fills, what may be chosen.

    Args:
        prices: by the path of a unit, the prices of its row that are for it.
    """
    choices = field.options.get("choices")
    fills = field.options.get("fills")
    return {
        "key": field.key,
        "table": field.table,
        "label": field.label,
        "widget": field.widget,
        "type": field.type_name,
        "numeric": field.numeric,
        "required": field.required,
        "conditional": field.conditional,
        "computed": field.computed,
        "fills": sorted(key for key in fills if (field.table, key) in known) if isinstance(fills, Mapping) else [],
        "prices": prices.get(field.path, []),
        "choices": choice_pairs(field) if isinstance(choices, Mapping) else [],
        "partner": field.options.get("partner") if field.widget == "open_item" else "",
        "most": field.options.get("max_files") or 0,
        "accept": field.options.get("accept") or [],
    }


def choice_pairs(field: FieldView) -> list[list[str]]:
    """Keys and labels of what may be chosen."""
    choices = field.options.get("choices")
    return [[str(key), str(label)] for key, label in choices.items()] if isinstance(choices, Mapping) else []
