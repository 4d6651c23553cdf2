"""Makes the messy spreadsheets the import story of the general template reads: what real companies bring.

Run when they must change: ``python -m tools.make_story_sheets``. The sheets have title rows, headings over two merged
rows, merged cells downwards, full-width digits, currency signs, repeated rows, subtotals, a 合计 row, signatures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

TARGET = Path(__file__).parent.parent / "templates_catalog" / "general" / "tests"

PRODUCTS: Sequence[Sequence[object]] = (
    (1, "DM-001", "五常大米", "10kg/袋", "袋", "C1", "¥ 52.00", "68.00", 40),
    (2, "DM-002", "东北珍珠米", "5kg/袋", "袋", "C1", "26.5元", "36.00", "６０"),
    (3, "ＹＯＵ－０１", "花生油 ", "5L/桶", "桶", "C1", 88, 108, 20),
    (4, "DM-001", "五常大米", "10kg/袋", "袋", "C1", "¥ 52.00", "68.00", 40),
    (5, "00123", "挂面", "1kg/把", "把", "C1", "4.8", "6.5", "1,000"),
    (6, "00123", "挂面", "1kg/把", "把", "C1", "4.8", "6.5", "1,000"),
    (7, "DM-002", "东北大米", "5kg/袋", "袋", "C1", "26.5元", "36.00", 60),
)
STOCK: Sequence[tuple[str, Sequence[Sequence[object]]]] = (
    (
        "总仓",
        (
            ("DM-001", "五常大米", "袋", "１２０", 52),
            ("DM-002", "东北珍珠米", "袋", "200", "26.5"),
            ("00123", "挂面", "把", "1,500", "4.8"),
        ),
    ),
    ("城东仓", (("DM-001", "五常大米", "袋", 30, 52), ("ＹＯＵ－０１", "花生油", "桶", "４５．５", "￥88"))),
)


def title(sheet: Worksheet, row: int, text: str, width: int) -> None:
    """A title merged over the table."""
    sheet.cell(row, 1, text).font = Font(size=16, bold=True)
    sheet.cell(row, 1).alignment = Alignment(horizontal="center")
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)


def products() -> Workbook:
    """商品档案: two heading rows (价格 → 进价, 售价), two repeated rows, a contradicting one, a signature row."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "商品档案"
    title(sheet, 1, "华东沃野粮油贸易有限公司商品档案", 9)
    sheet.cell(2, 1, "制表人：郑数据")
    sheet.cell(2, 8, "2026年1月5日")
    single = {1: "序号", 2: "商品编码", 3: "品名", 4: "规格型号", 5: "基本单位", 6: "商品分类", 9: "安全库存"}
    for column, text in single.items():
        sheet.cell(3, column, text)
        sheet.merge_cells(start_row=3, start_column=column, end_row=4, end_column=column)
    sheet.cell(3, 7, "价格")
    sheet.merge_cells(start_row=3, start_column=7, end_row=3, end_column=8)
    sheet.cell(4, 7, "采购价(元)")
    sheet.cell(4, 8, "销售价(元)")
    for number, row in enumerate(PRODUCTS, start=5):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column, value)
    sheet.cell(5 + len(PRODUCTS) + 1, 1, "制单：郑数据")
    sheet.cell(5 + len(PRODUCTS) + 1, 5, "审核：吴会计")
    return book


def stock() -> Workbook:
    """期初库存: warehouse merged downwards, 小计 per warehouse, 合计 at the end."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "期初库存"
    title(sheet, 1, "华东沃野粮油贸易有限公司 2025年12月31日库存", 6)
    sheet.cell(2, 1, "单位：元")
    for column, text in enumerate(("仓库", "商品编码", "商品名称", "单位", "期初数量", "成本单价"), start=1):
        sheet.cell(3, column, text)
    row, total = 4, 0.0
    for warehouse, lines in STOCK:
        first, subtotal = row, 0.0
        sheet.cell(row, 1, warehouse)
        for line in lines:
            for column, value in enumerate(line, start=2):
                sheet.cell(row, column, value)
            subtotal += float(
                str(line[3]).translate(str.maketrans("０１２３４５６７８９．", "0123456789.")).replace(",", "")
            )
            row += 1
        sheet.merge_cells(start_row=first, start_column=1, end_row=row - 1, end_column=1)
        sheet.cell(row, 1, "小计")
        sheet.cell(row, 5, subtotal)
        total += subtotal
        row += 1
    sheet.cell(row, 1, "合计")
    sheet.cell(row, 5, total)
    sheet.cell(row + 2, 1, "制单：孙仓管")
    sheet.cell(row + 2, 4, "审核：周主管")
    return book


def main() -> None:
    """Write both sheets beside the story."""
    TARGET.mkdir(parents=True, exist_ok=True)
    products().save(TARGET / "messy_products.xlsx")
    stock().save(TARGET / "messy_opening_stock.xlsx")


if __name__ == "__main__":
    main()
