"""The import of a spreadsheet of products, as a job performs it: read, mapped, validated and submitted row by row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from bench.company import Company, door_of
from runtime.facade import imports
from runtime.house import House

HEADINGS = ("商品编码", "商品名称", "商品分类", "基本单位", "规格型号", "参考进价", "销售价", "安全库存")
PART = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import took: rows stored, seconds by the clock and of the processor."""

    rows: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Rows per second by the clock."""
        return self.rows / self.seconds

    @property
    def cpu_rate(self) -> float:
        """Rows per second of processor time: what it would be on an idle machine."""
        return self.rows / self.cpu_seconds


def import_products(house: House, company: Company, folder: Path, rows: int) -> Imported:
    """Import ``rows`` new products. Raises ``RuntimeError`` when not every row was stored."""
    door = door_of(house, company.workspace)
    path = folder / "products.xlsx"
    _write(path, rows)
    number = imports.upload(door, "product", path.name, _parts(path))
    began, used = time.perf_counter(), time.process_time()
    done = imports.perform(door, number)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    if done.created != rows:
        raise RuntimeError(f"{done.created} of {rows} rows imported: {imports.problems_of(door, number)[0][:3]}")
    return Imported(rows=rows, seconds=seconds, cpu_seconds=cpu)


def _write(path: Path, rows: int) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("商品")
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, rows + 1):
            sheet.write_row(
                row,
                0,
                (
                    f"I{row:06}",
                    f"内六角螺栓 {row}",
                    "C1",
                    "件",
                    f"M{row % 40} × {row % 97}",
                    row % 900 / 10,
                    row % 900 / 5,
                    5,
                ),
            )


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(PART):
            yield part
