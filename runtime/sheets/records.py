"""The same checks for the binary formats, .xls and .xlsb: used area, sizes that are reserved in advance, error cells.

Walks the records as the parser will, from the place where each sheet is said to begin. All sheets of an .xls are laid
out in memory at once, so their areas count together.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from types import MappingProxyType

from engine.problems import Refused, problem
from runtime.sheets.container import Archive, Limits, OleFile, damaged
from runtime.sheets.extent import MOST_ERRORS, ErrorCells, Extent, refuse_declaration

_BOUND_SHEET, _FILE_PASS, _EOF, _BOF, _DIMENSIONS, _MUL_RK, _BOOL_ERR, _FORMULA = (
    0x85,
    0x2F,
    0x0A,
    0x809,
    0x200,
    0xBD,
    0x205,
    0x06,
)
_VALUES = frozenset({0x203, 0xFD, 0x27E, _MUL_RK, _FORMULA, 0x204, _BOOL_ERR, 0xD6})
_LARGEST_XLS = 65536 * 256
_ERRORS = MappingProxyType(
    {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
)
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_TARGET = re.compile(rb'Target\s*=\s*"(?:/xl/)?worksheets/[^"&]*\.bin"')
_RECORD_PARTS = frozenset({"xl/workbook.bin", "xl/sharedstrings.bin", "xl/styles.bin"})


def check_xls(ole: OleFile, limits: Limits) -> tuple[ErrorCells, ...]:
    """Walk an .xls; error cells per sheet in the order of the tabs.

    Raises:
        Refused: encrypted, no Excel file, or too large.
    """
    if ole.encrypted():
        raise Refused([problem("sheet.encrypted")])
    streams = ole.workbooks()
    if not streams:
        raise damaged()
    found: tuple[ErrorCells, ...] = ()
    for stream in streams:
        sheets = _check_workbook(stream, limits)
        found = found or sheets
    return found


def _check_workbook(data: bytes, limits: Limits) -> tuple[ErrorCells, ...]:
    starts: list[int] = []
    for record, body in _records(data, 0):
        if record == _FILE_PASS:
            raise Refused([problem("sheet.encrypted")])
        if record == _BOUND_SHEET and len(body) >= 4:
            starts.append(struct.unpack_from("<I", body)[0])
        elif record == _EOF:
            break
    used = 0
    found: list[ErrorCells] = []
    for start in starts:
        extent = Extent(limits, used)
        found.append(_check_sheet(data, start, extent))
        used += extent.rows * extent.columns
    return tuple(found)


def _check_sheet(data: bytes, start: int, extent: Extent) -> ErrorCells:
    errors: dict[tuple[int, int], str] = {}
    begun = False
    depth = 0
    for record, body in _records(data, start):
        if depth:
            depth += (record == _BOF) - (record == _EOF)
        elif record == _BOF:
            depth += begun
            begun = True
        elif record == _EOF:
            break
        elif record == _DIMENSIONS:
            _check_dimensions(body)
        elif record in _VALUES and len(body) >= 6:
            row, column = struct.unpack_from("<HH", body)
            last = max(struct.unpack_from("<H", body, len(body) - 2)[0], column + len(body) // 6)
            extent.include(row + 1, (last if record == _MUL_RK else column) + 1)
            error = _error(record, body)
            if error and len(errors) < MOST_ERRORS:
                errors[row + 1, column] = error
    return MappingProxyType(errors)


def _records(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    end = len(data)
    while at + 4 <= end:
        record, length = struct.unpack_from("<HH", data, at)
        at += 4 + length
        if at > end:
            raise damaged()
        yield record, data[at - length : at]


def _check_dimensions(body: bytes) -> None:
    """The parser reserves memory for what this record says, wrapped around at 32 bits."""
    if len(body) not in (10, 14):
        raise damaged()
    first_row, end_row, first, end = struct.unpack_from("<IIHH" if len(body) == 14 else "<HHHH", body)
    if first > 255 or end < first:
        first = 0
    if not end_row or not end:
        return
    if ((end_row - first_row) & 0xFFFFFFFF) * ((end - first) & 0xFFFFFFFF) > _LARGEST_XLS:
        raise damaged()


def _error(record: int, body: bytes) -> str | None:
    if record == _BOOL_ERR and len(body) >= 8 and body[7] == 1:
        return _ERRORS.get(body[6], "#N/A")
    if record == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        return _ERRORS.get(body[8], "#N/A")
    return None


def check_xlsb(archive: Archive, limits: Limits) -> None:
    """Walk the parts of an .xlsb.

    Raises:
        Refused: too large, unsafe or damaged.
    """
    for member in archive.members:
        data = b"".join(archive.inflate(member))
        name = member.filename.lower()
        if name.endswith(".bin"):
            if "worksheets/" in name or name in _RECORD_PARTS:
                _walk_binary(data, Extent(limits), limits)
            continue
        refuse_declaration(data)
        if name.endswith("workbook.bin.rels"):
            for relation in _RELATION.findall(data):
                if b"/worksheet" in relation and not _TARGET.search(relation):
                    raise damaged()


def _walk_binary(data: bytes, extent: Extent, limits: Limits) -> None:
    at, end, row = 0, len(data), 0
    while at < end:
        record, at = _variable(data, at, 2)
        length, at = _variable(data, at, 4)
        if at + length > end:
            raise damaged()
        if length > limits.max_text:
            raise Refused([problem("sheet.text_too_long", limit=limits.max_text >> 10)])
        if record == 0 and length >= 4:
            (row,) = struct.unpack_from("<I", data, at)
        elif (2 <= record <= 11 or record == 62) and length >= 4:
            (column,) = struct.unpack_from("<I", data, at)
            extent.include(row + 1, column + 1)
        at += length


def _variable(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of up to ``most`` bytes with seven bits each, and the place behind it."""
    number = 0
    for n in range(most):
        if at >= len(data):
            raise damaged()
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            break
    return number, at
