"""Take from a document what the reader may not see. Everything that leaves the house passes here exactly once."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from engine.document import Document
from engine.permissions.decide import FormAccess


def masked(document: Document, access: FormAccess) -> Document:
    """``document`` without hidden fields and hidden line tables; absent, not empty."""
    return replace(
        document,
        values={key: value for key, value in document.values.items() if access.readable(key)},
        lines=MappingProxyType(
            {
                table: tuple(
                    replace(
                        line,
                        values={key: value for key, value in line.values.items() if access.readable(f"{table}.{key}")},
                    )
                    for line in lines
                )
                for table, lines in document.lines.items()
                if access.readable(table)
            }
        ),
    )
