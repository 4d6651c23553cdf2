"""Open what a person uploads and hand out plain rows: Excel (xlsx, xls, xlsb), OpenDocument and CSV.

Every check that protects the process comes before the parser: size, kind, encryption, zip ceiling, used area. The only
exception that leaves this module is `Refused`. Numbers arrive exact to the 15 digits a spreadsheet keeps; there is no
float behind this door.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import BinaryIO

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from engine.problems import Problem, Refused, Severity, problem
from engine.sheets import Cell, Merged, NumberedRow, Row, Sheet, column_letter
from runtime.sheets.container import Archive, FileKind, Limits, OleFile, damaged, kind_of
from runtime.sheets.delimited import encoding_of, read_rows
from runtime.sheets.extent import NO_ERRORS, ErrorCells, check_ods, check_zip
from runtime.sheets.records import check_xls, check_xlsb

DEFAULT_LIMITS = Limits()
HEAD_ROWS = 60
_EXACT = 15
_WHOLE = 10**_EXACT
_MOST_MERGED = 20_000


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """A tab: its name and whether its author hid it."""

    name: str
    hidden: bool = False


def open_sheets(source: Path | bytes, filename: str, limits: Limits = DEFAULT_LIMITS) -> Workbook:
    """Open an uploaded file.

    Args:
        source: the file, or its bytes. filename: as the user calls it; only for showing. limits: ceilings.

    Raises:
        Refused: empty, too big, encrypted, damaged, dangerous, or no spreadsheet.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size == 0:
        raise Refused([problem("sheet.empty_file")])
    if size > limits.max_bytes:
        raise Refused([problem("sheet.too_big", size=-(-size >> 20), limit=limits.max_bytes >> 20)])
    file: BinaryIO = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    try:
        with _guarded():
            return _open(file, size, filename, limits)
    except BaseException:
        file.close()
        raise


def _open(file: BinaryIO, size: int, filename: str, limits: Limits) -> Workbook:
    kind = kind_of(file)
    title = Path(filename).stem or filename
    if kind is FileKind.CSV:
        return Workbook(
            file=file, kind=kind, encoding=encoding_of(file), sheets=(SheetInfo(title),), parser=None, limits=limits
        )
    errors: Mapping[str, ErrorCells] = MappingProxyType({})
    by_order: tuple[ErrorCells, ...] = ()
    if kind is FileKind.XLS:
        file.seek(0)
        by_order = check_xls(OleFile(file.read()), limits)
    else:
        archive = Archive(file, size, limits)
        if kind is FileKind.XLSX:
            errors = check_zip(archive, limits)
        elif kind is FileKind.XLSB:
            check_xlsb(archive, limits)
        else:
            check_ods(archive, limits)
    file.seek(0)
    parser = CalamineWorkbook.from_filelike(file)
    tabs = [m for m in parser.sheets_metadata if m.typ is SheetTypeEnum.WorkSheet]
    if not tabs:
        raise Refused([problem("sheet.no_sheets")])
    names = [m.name for m in parser.sheets_metadata]
    if errors:
        found = _errors_by_name(Archive(file, size, limits), errors)
    else:
        found = {name: by_order[n] for n, name in enumerate(names) if n < len(by_order) and len(by_order) == len(names)}
    return Workbook(
        file=file,
        kind=kind,
        encoding="",
        sheets=tuple(SheetInfo(m.name, m.visible is not SheetVisibleEnum.Visible) for m in tabs),
        parser=parser,
        limits=limits,
        errors=MappingProxyType(found),
    )


class Workbook:
    """An opened file. Use it in a ``with`` statement; each call of ``rows`` reads again, one iteration at a time.

    Attributes:
        kind: format. encoding: of a CSV, else empty. sheets: the tabs in order.
    """

    def __init__(
        self,
        *,
        file: BinaryIO,
        kind: FileKind,
        encoding: str,
        sheets: tuple[SheetInfo, ...],
        parser: CalamineWorkbook | None,
        limits: Limits,
        errors: Mapping[str, ErrorCells] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.encoding = encoding
        self.sheets = sheets
        self._file = file
        self._parser = parser
        self._limits = limits
        self._errors = errors
        self._cut: dict[str, Problem] = {}
        self._loaded: tuple[str, CalamineSheet] | None = None

    def __enter__(self) -> Workbook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def sheet_names(self) -> tuple[str, ...]:
        """Names of the tabs in order; the file's own name for CSV."""
        return tuple(info.name for info in self.sheets)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Warnings about what was cut off so far; complete once ``rows`` has run to its end."""
        return tuple(self._cut.values())

    def head(self, sheet: str, count: int = HEAD_ROWS) -> Sheet:
        """The first rows of a sheet with its merged blocks, as recognition wants them."""
        rows: list[Row] = []
        for number, row in self.rows(sheet):
            if number > count:
                break
            rows.append(row)
        hidden = next((info.hidden for info in self.sheets if info.name == sheet), False)
        return Sheet(name=sheet, rows=tuple(rows), merged=self.merged(sheet), hidden=hidden)

    def merged(self, sheet: str) -> tuple[Merged, ...]:
        """The merged blocks of a sheet; always empty for CSV, .xlsb and .ods."""
        if self._parser is None:
            return ()
        ranges = self._sheet(sheet).merged_cell_ranges or []
        return tuple(
            Merged(first_row=top + 1, last_row=bottom + 1, first_column=left, last_column=right)
            for (top, left), (bottom, right) in ranges[:_MOST_MERGED]
        )

    def rows(self, sheet: str, start: int = 1) -> Generator[NumberedRow, None, None]:
        """Rows from number ``start`` on, empty ones included, each with its number from 1.

        Raises:
            Refused: while iterating, where the file turns out to be damaged.
        """
        source = read_rows(self._file, self.encoding) if self._parser is None else self._parsed(sheet)
        limits = self._limits
        for number, row in source:
            if number < start:
                continue
            if number > limits.max_rows:
                self._warn("rows", "sheet.rows_cut", sheet=sheet, limit=limits.max_rows)
                return
            if len(row) > limits.max_columns:
                if any(cell is not None for cell in row[limits.max_columns :]):
                    self._warn("columns", "sheet.columns_cut", sheet=sheet, last=column_letter(limits.max_columns - 1))
                row = row[: limits.max_columns]
            yield number, row

    def close(self) -> None:
        """Let go of the file and of the parser's memory."""
        self._loaded = None
        if self._parser is not None:
            self._parser.close()
        self._file.close()

    def _parsed(self, name: str) -> Iterator[NumberedRow]:
        sheet = self._sheet(name)
        errors = self._errors.get(name, NO_ERRORS)
        before: Row = (None,) * (sheet.start[1] if sheet.start else 0)  # the parser drops empty columns on the left
        number = 0
        with _guarded():
            for raw in sheet.iter_rows():
                number += 1
                row = (*before, *map(_cell, raw))
                yield number, _with_errors(row, number, errors) if errors else row

    def _sheet(self, name: str) -> CalamineSheet:
        """The parsed sheet; only the last one used is kept, because each is a dense block of memory."""
        if self._loaded is not None and self._loaded[0] == name:
            return self._loaded[1]
        if self._parser is None or name not in self.sheet_names:
            raise Refused([problem("sheet.no_such_sheet", sheet=name)], kind="missing")
        self._loaded = None
        with _guarded():
            self._loaded = (name, self._parser.get_sheet_by_name(name))
        return self._loaded[1]

    def _warn(self, key: str, code: str, **params: str | int) -> None:
        self._cut[f"{key} {params['sheet']}"] = Problem(
            code=code, params=MappingProxyType(dict(params)), severity=Severity.WARNING
        )


@contextmanager
def _guarded() -> Iterator[None]:
    """Whatever the parser raises becomes "damaged", a panic of its native code, which is no ``Exception``, included."""
    try:
        yield
    except (Refused, GeneratorExit, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except PasswordError as error:
        raise Refused([problem("sheet.encrypted")]) from error
    except Exception as error:
        raise damaged() from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise damaged() from error
        raise


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value or None
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, datetime | date):
        return value
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return _hours(value)
    return None if value is None else str(value)


def _decimal(value: float) -> Cell:
    """The number as the spreadsheet shows it: 15 significant digits, so 18.060000000000002 is 18.06."""
    if value.is_integer() and abs(value) < _WHOLE:
        return Decimal(int(value))
    text = repr(value)
    exact = Decimal(text)
    if len(text) <= _EXACT + 1 and "." in text and "e" not in text:  # nearly always: few digits, the last no zero
        return exact
    if not exact.is_finite():
        return str(value)
    digits = exact.as_tuple().digits
    if len(digits) > _EXACT:
        exact = Decimal(f"{value:.{_EXACT - 1}e}")
    if exact == exact.to_integral_value():
        return Decimal(int(exact)) if exact.adjusted() < 60 else str(value)
    return exact.normalize()


def _hours(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    sign = "-" if seconds < 0 else ""
    hours, rest = divmod(abs(seconds), 3600)
    return f"{sign}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def _with_errors(row: Row, number: int, errors: ErrorCells) -> Row:
    return tuple(errors.get((number, n)) if cell is None else cell for n, cell in enumerate(row))


def _errors_by_name(archive: Archive, errors: Mapping[str, ErrorCells]) -> dict[str, ErrorCells]:
    """Error cells by sheet name instead of by the part of the zip the sheet is stored in."""
    parts = {member.filename: member for member in archive.members}
    if "xl/workbook.xml" not in parts or "xl/_rels/workbook.xml.rels" not in parts:
        return {}
    relations = b"".join(archive.inflate(parts["xl/_rels/workbook.xml.rels"])).decode("utf-8", "replace")
    book = b"".join(archive.inflate(parts["xl/workbook.xml"])).decode("utf-8", "replace")
    targets: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\s[^>]*>", relations):
        name, target = _attribute(tag, "Id"), _attribute(tag, "Target")
        targets[name] = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    found: dict[str, ErrorCells] = {}
    for tag in re.findall(r"<(?:\w+:)?sheet\s[^>]*>", book):
        part = targets.get(_attribute(tag, r"\w+:id"), "")
        if part in errors:
            found[_unescape(_attribute(tag, "name"))] = errors[part]
    return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}\s*=\s*"([^"]*)"', tag)
    return found[1] if found else ""


def _unescape(text: str) -> str:
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text
