"""What the storage tests share: the tiny app as a bundle, documents made by hand, people and a date.

Every storage test runs on SQLite and PostgreSQL; nothing here knows which.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.document import DocStatus, Document, Line, Value
from engine.values import rounded

TINY = Path(__file__).parent.parent / "apps" / "tiny"
AT = datetime(2026, 1, 20, 9, 30)
DAY = date(2026, 1, 20)


def tiny_files() -> dict[str, str]:
    """The sources of the tiny app by relative path."""
    return {str(path.relative_to(TINY)): path.read_text("utf-8") for path in sorted(TINY.rglob("*.yaml"))}


def bundle_from(files: Mapping[str, str]) -> AppBundle:
    """The bundle of ``files``, which must be sound."""
    bundle = bundle_of(files, built_in_kinds())
    assert isinstance(bundle, AppBundle), bundle
    return bundle


def changed(files: Mapping[str, str], path: str, *replacements: tuple[str, str]) -> dict[str, str]:
    """``files`` with texts of one file replaced; each must be there."""
    text = files[path]
    for before, after in replacements:
        assert before in text, before
        text = text.replace(before, after)
    return {**files, path: text}


def product(code: str, name: str, **values: Value) -> Document:
    """A product that is not stored yet."""
    return Document(
        form="product",
        status=DocStatus.ACTIVE,
        creator=7,
        values=MappingProxyType({"code": code, "name": name, "spec": None, "safety_stock": Decimal(0), **values}),
    )


def warehouse(code: str, name: str) -> Document:
    """A warehouse that is not stored yet."""
    return Document(form="warehouse", status=DocStatus.ACTIVE, creator=7, values={"code": code, "name": name})


def stock_in(number: str, place: int, rows: list[tuple[int, str, str]], day: date = DAY) -> Document:
    """A receipt draft; ``rows`` are product, quantity, price."""
    lines = tuple(
        Line(
            number=position,
            values={
                "product": item,
                "qty": Decimal(qty),
                "price": Decimal(price),
                "amount": rounded(Decimal(qty) * Decimal(price), 2),
            },
        )
        for position, (item, qty, price) in enumerate(rows, 1)
    )
    total = sum((Decimal(str(line.values["amount"])) for line in lines), Decimal(0))
    return Document(
        form="stock_in",
        number=number,
        status=DocStatus.DRAFT,
        creator=7,
        biz_date=day,
        snapshot="s1",
        values={"warehouse": place, "note": None, "total": total},
        lines={"lines": lines},
    )
