"""Sheets for import tests, made as people make them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO

import xlsxwriter

PRODUCT_HEADS = ("商品编码", "商品名称", "规格型号", "商品分类", "基本单位", "安全库存", "参考进价", "税率(%)")


def xlsx(*rows: Sequence[object], heads: Sequence[str] = PRODUCT_HEADS) -> bytes:
    """A workbook with one sheet: a heading, then ``rows``."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet("数据")
        for number, row in enumerate((heads, *rows)):
            page.write_row(number, 0, row)
    return out.getvalue()


def csv(rows: Iterable[Sequence[object]], heads: Sequence[str] = PRODUCT_HEADS, encoding: str = "utf-8-sig") -> bytes:
    """The same as CSV."""
    return "\r\n".join(",".join(str(cell) for cell in row) for row in (heads, *rows)).encode(encoding)


def product(number: int) -> tuple[str, ...]:
    """Row ``number`` of a product list."""
    return (f"P{number:06}", f"五金螺丝{number}", "M4*12", "C1", "件", str(number % 50), "3.5", "13")
