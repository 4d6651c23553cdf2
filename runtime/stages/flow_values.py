"""Values that do not come from a form: what action nodes set, and proposed changes on their way through JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from engine.document import SourceLine
from engine.forms.draft import LinePatch, Patch


def json_patch(patch: Patch) -> Mapping[str, Any]:
    """A patch as JSON can keep it; figures and days as the texts a form would send."""
    return {
        "values": {key: _plain(value) for key, value in patch.values.items()},
        "lines": {
            table: [
                {
                    "id": line.id,
                    "values": {key: _plain(value) for key, value in line.values.items()},
                    "source": [line.source.form, line.source.document, line.source.line] if line.source else None,
                }
                for line in rows
            ]
            for table, rows in patch.lines.items()
        },
    }


def patch_of(data: Mapping[str, Any]) -> Patch:
    """Inverse of ``json_patch``."""
    return Patch(
        values=data["values"],
        lines={
            table: tuple(
                LinePatch(
                    id=line["id"],
                    values=line["values"],
                    source=SourceLine(form=line["source"][0], document=line["source"][1], line=line["source"][2])
                    if line["source"]
                    else None,
                )
                for line in rows
            )
            for table, rows in data["lines"].items()
        },
    )


def _plain(value: object) -> object:
    if isinstance(value, Decimal | date):
        return str(value) if isinstance(value, Decimal) else value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
