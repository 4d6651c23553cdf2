"""How large the used area of each sheet really is, and which cells hold a formula error; found without a parser.

The spreadsheet parser lays a sheet out as one dense block of memory, so that two cells in opposite corners are enough
to stop the whole process. This walk therefore runs first and refuses such a file by name of the cell. On the way it
refuses XML with a document type declaration, and notes the error cells, which the parser would hand on as empty.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from xml.parsers import expat

from engine.problems import Refused, problem
from engine.sheets import column_letter
from runtime.sheets.container import Archive, Limits, OleFile, damaged

ErrorCells = Mapping[tuple[int, int], str]
"""(row from 1, column from 0) → ``#DIV/0!`` …"""
NO_ERRORS: ErrorCells = MappingProxyType({})

_MOST_ERRORS = 10_000
_HEAD = 256
_TEXTS = re.compile(rb"<(?:\w+:)?si(?=[\s>])")
_TEXT_END = re.compile(rb"</(?:\w+:)?si\s*>")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>])([^>]*)>")
_PLAIN_REF = re.compile(rb'<c r="([A-Z]{1,4})(\d{1,9})"(?: s="\d+")?(?: t="[a-zA-Z]+")?>')
_EMPTY_REF = re.compile(rb'<c r="[A-Z]{1,4}\d{1,9}"(?: s="\d+")?/>')
_REF = re.compile(rb"\sr\s*=\s*[\"']\s*([A-Za-z]{1,4})(\d{1,9})\s*[\"']")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=\"([A-Z]{1,4})(\d{1,9})\"[^>]*\bt=\"e\"[^>]*>(?:(?!</(?:\w+:)?c>).){0,600}?<(?:\w+:)?v>([^<]{1,20})<",
    re.DOTALL,
)
_XLS_ERRORS = MappingProxyType(
    {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
)


class Extent:
    """Grows with every cell that holds something; refuses as soon as the area is too large."""

    __slots__ = ("_limits", "columns", "rows")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.rows = 0
        self.columns = 0

    def include(self, rows: int, columns: int) -> None:
        """A filled cell in this row and column, both counted from 1."""
        self.rows = max(self.rows, rows)
        self.columns = max(self.columns, columns)
        if self.rows * self.columns > self._limits.max_cells:
            cell = f"{column_letter(columns - 1)}{rows}"
            raise Refused([problem("sheet.area_too_big", cell=cell, rows=self.rows, columns=self.columns)])


def check_zip(archive: Archive, limits: Limits) -> Mapping[str, ErrorCells]:
    """Inflate every member of an .xlsx once: sizes, declarations, used areas. Error cells by member name.

    Raises:
        Refused: see the module.
    """
    errors: dict[str, ErrorCells] = {}
    for member in archive.members:
        pieces = archive.inflate(member)
        if member.filename.lower().endswith((".xml", ".rels", ".vml")) or "." not in member.filename:
            found = _walk_xml(pieces, limits)
            if found is None:
                _walk_slowly(archive.inflate(member), limits)
            elif found:
                errors[member.filename] = MappingProxyType(found)
        else:
            for _ in pieces:
                pass
    return MappingProxyType(errors)


def _walk_xml(pieces: Iterator[bytes], limits: Limits) -> dict[tuple[int, int], str] | None:
    """Error cells of one XML part; ``None`` when its cells carry no addresses and have to be counted."""
    extent = Extent(limits)
    errors: dict[tuple[int, int], str] = {}
    rest = b""
    head = True
    cells = texts = False
    open_text = 0
    for piece in pieces:
        data = rest + piece
        if head:
            _check_head(data)
            head = len(data) < _HEAD
        cells = cells or b"sheetData" in data
        texts = texts or _TEXTS.search(data) is not None
        if not (cells or texts):
            _refuse_declaration(data)
            rest = data if head else data[-64:]
            continue
        cut = data.rfind(b"</row>") + 6 if b"</row>" in data else max(0, data.rfind(b"<"))
        done, rest = data[:cut], data[cut:]
        if texts:
            parts = _TEXT_END.split(done)
            longest = max(open_text + len(parts[0]), *map(len, parts[1:]), 0)
            open_text = (open_text if len(parts) == 1 else 0) + len(parts[-1])
        else:
            longest = 0
        if max(longest, len(rest)) > limits.max_text:
            raise Refused([problem("sheet.text_too_long", limit=limits.max_text >> 10)])
        _refuse_declaration(done)
        if cells and not _cells(done, extent, errors):
            return None
    _refuse_declaration(rest)
    return errors if not cells or _cells(rest, extent, errors) else None


def _refuse_declaration(data: bytes) -> None:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Refused([problem("sheet.declares_entities")])


def _check_head(data: bytes) -> None:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:64]:
        raise damaged()


def _cells(data: bytes, extent: Extent, errors: dict[tuple[int, int], str]) -> bool:
    """Take in the cells of a piece; ``False`` when some cell has no address."""
    total = data.count(b"<c ") + data.count(b"<c>")
    prefixed = b":c " in data or b":c>" in data or data.count(b"<c\n") or data.count(b"<c\t") or data.count(b"<c\r")
    if not total and not prefixed:
        return True
    plain = _PLAIN_REF.findall(data)
    if len(plain) + len(_EMPTY_REF.findall(data)) == total and not prefixed:
        for letters in {a for a, _ in plain}:
            extent.include(1, _column(letters))
        if plain:
            extent.include(max(int(n) for n in {b for _, b in plain}), 1)
    else:
        for attributes in _CELL.findall(data):
            if attributes.endswith(b"/"):
                if not _REF.search(attributes):
                    return False
                continue
            found = _REF.search(attributes)
            if found is None:
                return False
            extent.include(int(found[2]), _column(found[1].upper()))
    if b't="e"' in data and len(errors) < _MOST_ERRORS:
        for letters, number, value in _ERROR.findall(data):
            errors[int(number), _column(letters) - 1] = value.decode("ascii", "replace")
    return True


def _column(letters: bytes) -> int:
    number = 0
    for byte in letters:
        number = number * 26 + byte - 64
    return number


def _walk_slowly(pieces: Iterable[bytes], limits: Limits) -> None:
    """Count rows and columns of a sheet whose cells have no addresses, by a real XML parser."""
    extent = Extent(limits)
    at = {"row": 0, "column": 0}

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            at["row"] = int(attributes.get("r") or at["row"] + 1)
            at["column"] = 0
        elif local == "c":
            found = _REF.match(f' r="{attributes.get("r", "")}"'.encode())
            at["column"] = _column(found[1].upper()) if found else at["column"] + 1
            at["row"] = int(found[2]) if found else at["row"]
        elif local in ("v", "is", "t", "f") and at["column"]:
            extent.include(max(1, at["row"]), at["column"])

    _parse(pieces, start)


def check_ods(archive: Archive, limits: Limits) -> None:
    """The same for an .ods, whose cells and rows may be repeated by a number.

    Raises:
        Refused: see the module.
    """
    extent = Extent(limits)
    at = {"row": 0, "column": 0, "rows": 1}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            at.update(row=0, column=0, rows=1)
        elif name == "table:table-row":
            at.update(row=at["row"] + at["rows"], column=0, rows=_repeat(attributes, "table:number-rows-repeated"))
        elif name in ("table:table-cell", "table:covered-table-cell"):
            columns = _repeat(attributes, "table:number-columns-repeated")
            at["column"] += columns
            if "office:value-type" in attributes or "calcext:value-type" in attributes:
                extent.include(at["row"] + at["rows"], at["column"])
        elif name == "text:p" and at["column"]:
            extent.include(at["row"] + at["rows"], at["column"])

    for member in archive.members:
        pieces = archive.inflate(member)
        if member.filename.endswith(".xml"):
            _parse(pieces, start if member.filename == "content.xml" else _ignore)
        else:
            for _ in pieces:
                pass


def _ignore(name: str, attributes: dict[str, str]) -> None:
    """Elements of parts that hold no cells."""


def _repeat(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return max(1, int(text)) if text.isdigit() and len(text) < 10 else 1


def _no_declaration(*_: object) -> None:
    raise Refused([problem("sheet.declares_entities")])


def _parse(pieces: Iterable[bytes], start: Callable[[str, dict[str, str]], None]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _no_declaration
    parser.EntityDeclHandler = _no_declaration
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise damaged() from error


def check_xls(ole: OleFile, limits: Limits) -> tuple[ErrorCells, ...]:
    """Walk the records of an .xls; error cells per worksheet in workbook order.

    Raises:
        Refused: encrypted, no Excel file, or too large.
    """
    if ole.encrypted():
        raise Refused([problem("sheet.encrypted")])
    data = ole.workbook()
    if data is None:
        raise damaged()
    found: list[ErrorCells] = []
    extent = Extent(limits)
    errors: dict[tuple[int, int], str] = {}
    depth = 0
    at, end = 0, len(data)
    while at + 4 <= end:
        record, length = struct.unpack_from("<HH", data, at)
        body = at + 4
        at = body + length
        if record == 0x2F:
            raise Refused([problem("sheet.encrypted")])
        if record in (0x809, 0x409):
            depth += 1
            if depth == 1:
                extent, errors = Extent(limits), {}
                found.append(errors)
        elif record == 0x0A:
            depth = max(0, depth - 1)
        elif record in (0x203, 0xFD, 0x27E, 0xBD, 0x06, 0x406, 0x204, 0x205, 0xD6) and length >= 6 and at <= end:
            row, column = struct.unpack_from("<HH", data, body)
            last = struct.unpack_from("<H", data, at - 2)[0] if record == 0xBD else column
            extent.include(row + 1, last + 1)
            error = _xls_error(record, data[body:at])
            if error and len(errors) < _MOST_ERRORS:
                errors[row + 1, column] = error
    return tuple(MappingProxyType(dict(e)) for e in found[1:])


def _xls_error(record: int, body: bytes) -> str | None:
    if record == 0x205 and len(body) >= 8 and body[7] == 1:
        return _XLS_ERRORS.get(body[6], "#N/A")
    if record == 0x06 and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        return _XLS_ERRORS.get(body[8], "#N/A")
    return None


def check_xlsb(archive: Archive, limits: Limits) -> None:
    """The same for the binary parts of an .xlsb.

    Raises:
        Refused: see the module.
    """
    for member in archive.members:
        data = b"".join(archive.inflate(member))
        if member.filename.lower().endswith(".bin") and "worksheets/" in member.filename.lower():
            _walk_records(data, Extent(limits))
        else:
            _refuse_declaration(data)
        if member.filename.lower().endswith("workbook.bin.rels"):
            for relation in re.findall(rb"<Relationship\s[^>]*>", data):
                if b"/worksheet" in relation and not re.search(
                    rb'Target\s*=\s*"(?:/xl/)?worksheets/[^"&]*\.bin"', relation
                ):
                    raise damaged()


def _walk_records(data: bytes, extent: Extent) -> None:
    at, end, row = 0, len(data), 0
    while at < end:
        record = data[at]
        at += 1
        if record & 0x80 and at < end:
            record = (record & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while at < end and shift < 28:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if record == 0 and length >= 4 and at + 4 <= end:
            (row,) = struct.unpack_from("<I", data, at)
        elif 2 <= record <= 11 and length >= 4 and at + 4 <= end:
            (column,) = struct.unpack_from("<I", data, at)
            extent.include(row + 1, column + 1)
        at += length
