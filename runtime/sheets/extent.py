"""How large the used area of each sheet really is, and which cells hold a formula error; found without a parser.

The spreadsheet parser lays a sheet out as one dense block of memory, so that two cells in opposite corners are enough
to stop the whole process. This walk therefore runs first and refuses such a file by name of the cell. On the way it
refuses XML with a document type declaration, and notes the error cells, which the parser would hand on as empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from xml.parsers import expat

from engine.problems import Refused, problem
from engine.sheets import column_letter
from runtime.sheets.container import Archive, Limits, damaged

ErrorCells = Mapping[tuple[int, int], str]
"""(row from 1, column from 0) → ``#DIV/0!`` …"""
NO_ERRORS: ErrorCells = MappingProxyType({})

MOST_ERRORS = 10_000
_MOST_REPEATS = 2_000_000
_HEAD = 256
_TEXTS = re.compile(rb"<(?:\w+:)?si(?=[\s>])")
_UNIQUE = re.compile(rb"uniqueCount\s*=\s*[\"']\s*\+?(\d+)")
_TEXT_END = re.compile(rb"</(?:\w+:)?si\s*>")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s>])([^>]*)>")
_PLAIN_REF = re.compile(rb'<c r="([A-Z]{1,4}\d{1,9})"(?: s="\d+")?(?: t="[a-zA-Z]+")?>')
_LETTERS, _DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"
_EMPTY_REF = re.compile(rb'<c r="[A-Z]{1,4}\d{1,9}"(?: s="\d+")?/>')
_REF = re.compile(rb"\sr\s*=\s*[\"']\s*([A-Za-z]{1,4})(\d{1,9})\s*[\"']")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=\"([A-Z]{1,4})(\d{1,9})\"[^>]*\bt=\"e\"[^>]*>(?:(?!</(?:\w+:)?c>).){0,600}?<(?:\w+:)?v>([^<]{1,20})<",
    re.DOTALL,
)


class Extent:
    """Grows with every cell that holds something; refuses as soon as the area is too large."""

    __slots__ = ("_most", "columns", "rows")

    def __init__(self, limits: Limits, used: int = 0) -> None:
        self._most = limits.max_cells - used
        self.rows = 0
        self.columns = 0

    def include(self, rows: int, columns: int) -> None:
        """A filled cell in this row and column, both counted from 1."""
        self.rows = max(self.rows, rows)
        self.columns = max(self.columns, columns)
        if self.rows * self.columns > self._most:
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
        if not (cells or texts or b"<sst" in data or b":sst" in data):
            refuse_declaration(data)
            rest = data if head else data[-64:]
            continue
        cut = data.rfind(b"</row>") + 6 if b"</row>" in data else max(0, data.rfind(b"<"))
        done, rest = data[:cut], data[cut:]
        if b"uniqueCount" in data and any(int(n) > limits.max_cells for n in _UNIQUE.findall(data)):
            raise damaged()  # the parser would reserve memory for that many texts
        if texts:
            parts = _TEXT_END.split(done)
            longest = max(open_text + len(parts[0]), *map(len, parts[1:]), 0)
            open_text = (open_text if len(parts) == 1 else 0) + len(parts[-1])
        else:
            longest = 0
        if max(longest, len(rest)) > limits.max_text:
            raise Refused([problem("sheet.text_too_long", limit=limits.max_text >> 10)])
        refuse_declaration(done)
        if cells and not _cells(done, extent, errors):
            return None
    refuse_declaration(rest)
    return errors if not cells or _cells(rest, extent, errors) else None


def refuse_declaration(data: bytes) -> None:
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
        for letters in {ref.rstrip(_DIGITS) for ref in plain}:
            extent.include(1, _column(letters))
        if plain:
            extent.include(max(int(number) for number in {ref.lstrip(_LETTERS) for ref in plain}), 1)
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
    if b't="e"' in data and len(errors) < MOST_ERRORS:
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
    """The same for an .ods, whose cells and rows may be repeated by a number. All its sheets are laid out at once.

    Raises:
        Refused: see the module.
    """
    walk = _OdsWalk(limits)
    for member in archive.members:
        pieces = archive.inflate(member)
        if member.filename.endswith(".xml"):
            _parse(pieces, walk.start if member.filename == "content.xml" else _ignore)
        else:
            for _ in pieces:
                pass


class _OdsWalk:
    """Counts rows and columns through the elements of content.xml."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._extent = Extent(limits)
        self._row = self._rows = self._column = 0
        self._area = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "table:table":
            self._area += self._extent.rows * self._extent.columns
            self._extent = Extent(self._limits, used=self._area)
            self._row = self._rows = self._column = 0
        elif name == "table:table-row":
            self._row += self._rows
            self._rows = _repeat(attributes, "table:number-rows-repeated")
            self._column = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._column += _repeat(attributes, "table:number-columns-repeated")
            if any(key.startswith(("office:", "calcext:")) or key == "table:formula" for key in attributes):
                self._extent.include(self._row + self._rows, self._column)
        elif self._column and name.startswith("text:"):
            self._extent.include(self._row + self._rows, self._column)


def _ignore(name: str, attributes: dict[str, str]) -> None:
    """Elements of parts that hold no cells."""


def _repeat(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1").strip().removeprefix("+")
    return min(int(text), _MOST_REPEATS) if text.isascii() and text.isdigit() and len(text) < 30 else 1


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
