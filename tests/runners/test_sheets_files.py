"""Files as they are uploaded: good ones in every format, and every kind of bad one. Each refusal has its sentence."""

# ruff: noqa: E501  (XML in one piece reads better than broken up)
from __future__ import annotations

import struct
import zipfile
import zlib
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from engine.problems import Refused
from engine.sheets import Purpose, clean_cell, find_header
from runtime.messages.catalogue import Catalogue
from runtime.sheets import (
    ErrorRow,
    FileKind,
    Limits,
    WriteColumn,
    guard,
    open_sheets,
    write_csv,
    write_error_rows,
    write_xlsx,
)

FILES = Path(__file__).parents[1] / "cases" / "sheets" / "files"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT = """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/></Types>"""


def xlsx(sheet: str, *, strings: str = "", more: dict[str, bytes] | None = None, head: str = "") -> bytes:
    """A minimal .xlsx whose only sheet has ``sheet`` between its sheetData tags."""
    parts = {
        "[Content_Types].xml": CONTENT,
        "_rels/.rels": f'<Relationships {RELS}><Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="表" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships {RELS}><Relationship Id="r1" Type="{OFFICE}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{OFFICE}/sharedStrings" '
        'Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<?xml version="1.0"?>{head}<worksheet {MAIN}><sheetData>{sheet}</sheetData></worksheet>',
    }
    if strings:
        parts["xl/sharedStrings.xml"] = f"<sst {MAIN}>{strings}</sst>"
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def ods(table: str) -> bytes:
    """A minimal .ods with one table."""
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="表">{table}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return out.getvalue()


def ole(streams: dict[str, bytes]) -> bytes:
    """A minimal OLE2 file; every stream is padded beyond 4096 bytes so that it has sectors of its own."""
    padded = {
        name: data.ljust(4096, b"\0").ljust(-(-max(4096, len(data)) // 512) * 512, b"\0")
        for name, data in streams.items()
    }
    chain: list[int] = [0xFFFFFFFD]
    body: list[bytes] = []
    starts: dict[str, int] = {}

    def add(data: bytes) -> int:
        first = len(chain)
        count = len(data) // 512
        for n in range(count):
            chain.append(first + n + 1 if n + 1 < count else 0xFFFFFFFE)
        body.append(data)
        return first

    for name, data in padded.items():
        starts[name] = add(data)
    entries = [("Root Entry", 5, 0xFFFFFFFE, 0), *((n, 2, starts[n], len(d)) for n, d in padded.items())]
    directory = b""
    for n, (name, kind, start, size) in enumerate(entries):
        raw = name.encode("utf-16-le")
        right = n + 1 if 0 < n < len(entries) - 1 else 0xFFFFFFFF
        child = 1 if n == 0 and len(entries) > 1 else 0xFFFFFFFF
        directory += raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw) + 2, kind, 1, 0xFFFFFFFF, right, child)
        directory += bytes(36) + struct.pack("<IQ", start, size)
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    first_directory = add(directory)
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")
    assert len(fat) == 512
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, 1, first_directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    return header.ljust(512, b"\xff") + fat + b"".join(body)


def biff(*records: tuple[int, bytes]) -> bytes:
    """BIFF8 records in a row."""
    return b"".join(struct.pack("<HH", number, len(data)) + data for number, data in records)


BOF_GLOBALS = (0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
BOF_SHEET = (0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
EOF = (0x0A, b"")


def bound(position: int, name: bytes) -> tuple[int, bytes]:
    """The record that says where a sheet begins."""
    return 0x85, struct.pack("<IBBBB", position, 0, 0, len(name), 0) + name


def number(row: int, column: int) -> tuple[int, bytes]:
    """The number 1 in a cell of an .xls."""
    return 0x203, struct.pack("<HHHd", row, column, 0, 1.0)


def xls(*sheet: tuple[int, bytes], names: tuple[bytes, ...] = (b"a",)) -> bytes:
    """A minimal .xls; every name is a tab that shows the same sheet."""
    start = len(biff(BOF_GLOBALS, *(bound(0, name) for name in names), EOF))
    book = biff(BOF_GLOBALS, *(bound(start, name) for name in names), EOF, BOF_SHEET, *sheet, EOF)
    return ole({"Workbook": book})


def code(source: bytes | Path, limits: Limits | None = None, catalogue: Catalogue | None = None) -> str:
    """The problem a file is refused with, at opening or while its rows are read."""
    with pytest.raises(Refused) as refused, open_sheets(source, "上传.xlsx", limits or Limits()) as book:
        for name in book.sheet_names:
            for _ in book.rows(name):
                pass
    (problem,) = refused.value.problems
    if catalogue:
        for language in ("zh", "en"):
            sentence, _ = catalogue.text(problem, language)
            assert sentence
            assert "/" not in sentence.replace("1/2", "")
    return problem.code


def rows(source: bytes | Path, sheet: str | None = None) -> list[tuple[object, ...]]:
    """All rows of a sheet, the first by default."""
    with open_sheets(source, "表.xlsx") as book:
        return [row for _, row in book.rows(sheet or book.sheet_names[0])]


# --- good files ---------------------------------------------------------------------------------------------------


def test_every_kind_of_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("数据")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        clock = book.add_format({"num_format": "hh:mm"})
        page.write(1, 1, "文字")
        page.write_number(1, 2, 18.060000000000002)
        page.write_number(1, 3, 6901234567892)
        page.write_number(1, 4, 12345678901234567890)
        page.write_boolean(1, 5, True)
        page.write_datetime(1, 6, datetime(2025, 12, 1), day)
        page.write_datetime(1, 7, datetime(2025, 12, 1, 8, 30), day)
        page.write_formula(1, 8, "=1/0", None, "#DIV/0!")
        page.write_number(1, 9, 0.1)
        page.write_datetime(1, 10, datetime(1899, 12, 31, 8, 30), clock)
        hidden = book.add_worksheet("隐藏")
        hidden.write(0, 0, 1)
        hidden.hide()
    with open_sheets(path, "a.xlsx") as book:
        assert book.kind is FileKind.XLSX
        assert [(s.name, s.hidden) for s in book.sheets] == [("数据", False), ("隐藏", True)]
        (_, empty), (number, row) = book.rows("数据")
        assert not any(empty)
        assert number == 2
        assert row[:10] == (
            None,
            "文字",
            Decimal("18.06"),
            Decimal(6901234567892),
            Decimal(12345678901234600000),
            True,
            date(2025, 12, 1),
            datetime(2025, 12, 1, 8, 30),
            "#DIV/0!",
            Decimal("0.1"),
        )
        assert not any(isinstance(cell, float) for cell in row)
    assert clean_cell(row[8], Purpose.NUMBER).problems[0].code == "sheet.formula_error"


def test_rows_keep_their_numbers() -> None:
    with open_sheets(FILES / "en07_stationery_orders_totals.xlsx", "x.xlsx") as book:
        numbers = [number for number, _ in book.rows("Лист1", 40)]
        assert numbers == list(range(40, 48))
        assert next(iter(book.rows("Лист1", 3)))[1][2] == date(2015, 4, 18)


def test_merged_blocks() -> None:
    with open_sheets(FILES / "zh31_textbook_order_form.xlsx", "x.xlsx") as book:
        assert [(m.first_row, m.last_row, m.first_column, m.last_column) for m in book.merged("Sheet1")][:2] == [
            (1, 1, 1, 8),
            (2, 2, 1, 8),
        ]


def test_old_excel() -> None:
    with open_sheets(FILES / "zh01_jsh_goods_import_v3.5.xls", "x.xls") as book:
        assert book.kind is FileKind.XLS
        assert next(row for number, row in book.rows("商品信息") if number == 3)[:2] == ("可乐test", "250ml")


def test_open_document() -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    number = '<table:table-cell office:value-type="float" office:value="12.5"/>'
    table = f"<table:table-row>{cell.format('品名')}{cell.format('数量')}</table:table-row>"
    table += f"<table:table-row>{cell.format('纸箱')}{number}</table:table-row>"
    assert rows(ods(table)) == [("品名", "数量"), ("纸箱", Decimal("12.5"))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_csv_in_every_encoding(encoding: str, separator: str) -> None:
    lines = [["商品编码", "品名", "数量"], ["00123", "螺丝 M4×12", "1.5"], ["A2", "“引号”与㐀", "2"]]
    text = "".join(separator.join(line) + "\r\n" for line in lines)
    assert rows(text.encode(encoding)) == [tuple(line) for line in lines]


def test_csv_with_quotes_and_line_breaks() -> None:
    text = 'name,note\r\n"1"" headset","a,b\nc"\r\n\r\nlast,\r\n'
    assert rows(text.encode()) == [("name", "note"), ('1" headset', "a,b\nc"), (), ("last", None)]


def test_styled_empty_cells_far_away_do_not_count() -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert rows(xlsx(far)) == [(Decimal(1),)]


def test_cells_without_addresses_are_read() -> None:
    plain = "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"
    assert rows(xlsx(plain)) == [(Decimal(1), Decimal(2)), (Decimal(3), None)]


def test_error_cells_belong_to_their_own_sheet(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("甲 & 乙", "丙"):
            page = book.add_worksheet(name)
            page.write_row(0, 0, ["品名", "数量"])
            page.write(1, 0, "笔")
        page.write_formula(1, 1, "=NA()", None, "#N/A")
    assert rows(path, "甲 & 乙")[1] == ("笔", None) or rows(path, "甲 & 乙")[1] == ("笔",)
    assert rows(path, "丙")[1] == ("笔", "#N/A")


# --- bad files ----------------------------------------------------------------------------------------------------


def test_sixty_megabytes(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "big.xlsx"
    with path.open("wb") as file:
        file.truncate(60 << 20)
    assert code(path, catalogue=catalogue) == "sheet.too_big"


def test_empty_files(catalogue: Catalogue) -> None:
    assert code(b"", catalogue=catalogue) == "sheet.empty_file"
    assert code(b" \r\n\r\n", catalogue=catalogue) == "sheet.empty_file"
    assert rows(xlsx("")) == []


def test_encrypted_workbooks(catalogue: Catalogue) -> None:
    wrapped = ole({"EncryptionInfo": b"x" * 10, "EncryptedPackage": b"y" * 5000})
    assert code(wrapped, catalogue=catalogue) == "sheet.encrypted"
    old = ole({"Workbook": biff(BOF_GLOBALS, (0x2F, bytes(6)), EOF)})
    assert code(old, catalogue=catalogue) == "sheet.encrypted"


def test_truncated_files(catalogue: Catalogue) -> None:
    for name, least in (("zh12_gwms_goods_auto_parts.xlsx", 30), ("zh01_jsh_goods_import_v3.5.xls", 2000)):
        data = (FILES / name).read_bytes()
        for size in (8, 100, 600, len(data) // 2, len(data) - least):
            assert code(data[:size], catalogue=catalogue) == "sheet.damaged"


@pytest.mark.parametrize("name", ["zh12_gwms_goods_auto_parts.xlsx", "zh01_jsh_goods_import_v3.5.xls"])
def test_damaged_bytes_never_raise_anything_else(name: str) -> None:
    data = bytearray((FILES / name).read_bytes())
    for n in range(60):
        spoilt = bytearray(data)
        for k in range(6):
            spoilt[(n * 7919 + k * 104729) % len(data)] ^= 0xFF
        try:
            with open_sheets(bytes(spoilt), name) as book:
                for sheet in book.sheet_names:
                    book.merged(sheet)
                    list(book.rows(sheet))
        except Refused as refused:
            assert all(problem.code.startswith("sheet.") for problem in refused.problems)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\xef\xbb\xbf <html><table><tr><td>1</td></tr></table></html>", "网页（HTML）"),
        (b"<?xml version='1.0'?><Workbook/>", "XML 文件"),
        (b"%PDF-1.7 ...", "PDF 文件"),
        (b"\x89PNG\r\n\x1a\n\0\0", "图片"),
        (b"\x7fELF\x02\x01\0\0", "无法识别的二进制文件"),
    ],
)
def test_disguised_files_are_named(data: bytes, found: str, catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as refused:
        open_sheets(data, "报表.xls")
    assert refused.value.problems[0].code == "sheet.not_a_spreadsheet"
    assert found in catalogue.text(refused.value.problems[0], "zh")[0]


def test_other_archives() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "hello")
    assert code(out.getvalue()) == "sheet.not_a_spreadsheet"
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", CONTENT)
        archive.writestr("word/document.xml", "<w/>")
    assert code(out.getvalue()) == "sheet.not_a_spreadsheet"
    assert code(ole({"WordDocument": b"x"})) == "sheet.damaged"


def test_zip_bombs(catalogue: Catalogue) -> None:
    zeros = bytes(64 << 20)
    assert code(xlsx("", more={"xl/media/a.bin": zeros}), catalogue=catalogue) == "sheet.unpacks_too_big"
    many = {f"x/{n}.xml": b"<a/>" for n in range(2100)}
    assert code(xlsx("", more=many), catalogue=catalogue) == "sheet.unpacks_too_big"


def test_a_zip_that_lies_about_its_sizes() -> None:
    """The directory claims 10 bytes where 64 MB come out."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = stream.compress(bytes(64 << 20)) + stream.flush()
    honest = xlsx("", more={"xl/zz.bin": b"0123456789"})
    with zipfile.ZipFile(BytesIO(honest)) as archive:
        info = archive.getinfo("xl/zz.bin")
        assert info.compress_type == zipfile.ZIP_DEFLATED
        start = info.header_offset + 30 + len(info.filename)
        end = archive.start_dir
    shift = len(packed) - info.compress_size
    data = honest[:start] + packed + honest[end:]
    tail = data.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<I", data, tail + 16)[0] + shift
    entry = data.rindex(b"PK\x01\x02", 0, tail)
    spoilt = bytearray(data)
    struct.pack_into("<I", spoilt, tail + 16, directory)
    struct.pack_into("<I", spoilt, entry + 20, len(packed))
    with zipfile.ZipFile(BytesIO(bytes(spoilt))) as archive:
        assert archive.getinfo("xl/zz.bin").file_size == 10
    assert code(bytes(spoilt)) == "sheet.unpacks_too_big"


@pytest.mark.parametrize(
    "sheet",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c t="n" r="A1"><v>1</v></c></row><row r="1048576"><c s="0" r="ZZ1048576"><v>1</v></c></row>',
        '<row r="1"><c  r=\'A1\'><v>1</v></c></row><row r="1048576"><c\nr = "XFD1048576"\n><v>1</v></c></row>',
        '<row r="1"><c><v>1</v></c></row><row r="1048576">' + "<c/>" * 3000 + "<c><v>1</v></c></row>",
    ],
    ids=["plain", "other order", "other spaces", "without addresses"],
)
def test_two_cells_far_apart_do_not_stop_the_process(sheet: str, catalogue: Catalogue) -> None:
    assert code(xlsx(sheet), catalogue=catalogue) == "sheet.area_too_big"


def test_far_cells_with_a_namespace_prefix() -> None:
    data = xlsx("")
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("sheet1.xml"):
                text = (
                    b'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
                    b'<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row><x:row r="1048576"><x:c r="XFD1048576">'
                    b"<x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>"
                )
            target.writestr(name, text)
    assert code(out.getvalue()) == "sheet.area_too_big"


def test_far_cells_of_old_excel(catalogue: Catalogue) -> None:
    assert rows(xls(number(0, 0), number(1, 2)))[1] == (None, None, Decimal(1))
    assert code(xls(number(0, 0), number(65535, 255)), catalogue=catalogue) == "sheet.area_too_big"
    hidden = biff(BOF_SHEET, number(0, 0), number(65535, 255), EOF)
    start = len(biff(BOF_GLOBALS, bound(0, b"a"))) + 4
    sneaky = biff(BOF_GLOBALS, bound(start, b"a"), (0x1234, hidden), EOF)
    assert code(ole({"Workbook": sneaky})) == "sheet.area_too_big"
    many = tuple(f"{n}".encode() for n in range(50))
    assert code(xls(number(0, 0), number(65535, 9), names=many)) == "sheet.area_too_big"


def test_old_excel_that_asks_for_memory_in_advance() -> None:
    for rows_, columns in (((0, 0xFFFFFFFF), (0, 255)), ((9, 3), (0, 9)), ((0, 65536), (0, 0xFFFF))):
        dimensions = struct.pack("<IIHHH", *rows_, *columns, 0)
        assert code(xls((0x200, dimensions), number(0, 0))) == "sheet.damaged"
    assert rows(xls((0x200, struct.pack("<IIHHH", 0, 65536, 0, 256, 0)), number(0, 0))) == [(Decimal(1),)]


def test_ole_chains_that_bite_their_tail() -> None:
    good = xls(number(0, 0))
    for at, value in ((44, 0xFFFFFFFF), (64, 0xFFFFFFFF), (62, 0x7FFFFFFF)):
        spoilt = bytearray(good)
        struct.pack_into("<I", spoilt, at, value)
        assert code(bytes(spoilt)) == "sheet.damaged"
    directory = struct.unpack_from("<I", good, 48)[0]
    loops = bytearray(good)
    struct.pack_into("<I", loops, 512 + 4 * directory, directory)
    assert code(bytes(loops)) == "sheet.damaged"
    difat = bytearray(good)
    struct.pack_into("<I", difat, 68, 1)
    struct.pack_into("<I", difat, 1024 + 508, 1)
    assert code(bytes(difat)) == "sheet.damaged"


def test_a_count_of_texts_that_is_a_lie() -> None:
    cell = '<row r="1"><c r="A1"><v>1</v></c></row>'
    honest = xlsx(cell, strings="<si><t>a</t></si>")
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(honest)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            text = source.read(name).replace(b"<sst ", b"<sst uniqueCount='99999999999' ")
            target.writestr(name, text)
    assert code(out.getvalue()) == "sheet.damaged"


def test_far_cells_of_open_document() -> None:
    wide = '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
    tall = f'<table:table-row table:number-rows-repeated="1048576">{wide}</table:table-row>'
    assert code(ods(tall)) == "sheet.area_too_big"
    endless = '<table:table-cell office:value="1" table:number-columns-repeated="99999999999"/>'
    repeated = f'<table:table-row table:number-rows-repeated="+9999">{endless}</table:table-row>'
    assert code(ods(repeated)) == "sheet.area_too_big"
    half = '<table:table-row table:number-rows-repeated="30000"><table:table-cell table:number-columns-repeated="99" office:value="1"/></table:table-row>'
    assert code(ods(f'{half}</table:table><table:table table:name="b">{half}')) == "sheet.area_too_big"


def test_repeated_empty_cells_of_open_document_are_fine() -> None:
    cell = '<table:table-cell office:value-type="float" office:value="1"/><table:table-cell table:number-columns-repeated="16383"/>'
    rest = '<table:table-row table:number-rows-repeated="1048575"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    assert rows(ods(f"<table:table-row>{cell}</table:table-row>{rest}"))[0][0] == Decimal(1)


def xlsb(*cells: tuple[int, int]) -> bytes:
    """A minimal .xlsb with the number 1 in each (row, column) from 0."""

    def record(number: int, data: bytes = b"") -> bytes:
        head = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
        return head + bytes([len(data)]) + data

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    sheet = record(129) + record(148, struct.pack("<4I", 0, 1048575, 0, 16383)) + record(145)
    for row, column in cells:
        sheet += record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0))
        sheet += record(5, struct.pack("<IId", column, 0, 1.0))
    sheet += record(146) + record(130)
    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + text("r1") + text("表")) + record(144)
    rels = f'<Relationships {RELS}><Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>'
    root = f'<Relationships {RELS}><Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.bin"/></Relationships>'
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in (
            ("[Content_Types].xml", CONTENT.encode()),
            ("_rels/.rels", root.encode()),
            ("xl/workbook.bin", book + record(132)),
            ("xl/_rels/workbook.bin.rels", rels.encode()),
            ("xl/worksheets/sheet1.bin", sheet),
        ):
            archive.writestr(name, data)
    return out.getvalue()


def test_binary_workbooks() -> None:
    assert rows(xlsb((0, 0), (1, 1))) == [(Decimal(1), None), (None, Decimal(1))]
    assert code(xlsb((0, 0), (1048575, 16383))) == "sheet.area_too_big"


def test_entity_bombs(catalogue: Catalogue) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert (
        code(xlsx('<row r="1"><c r="A1"><v>1</v></c></row>', head=bomb), catalogue=catalogue)
        == "sheet.declares_entities"
    )
    late = f"<!--{'x' * 300_000}-->{bomb}"
    assert code(xlsx('<row r="1"><c r="A1"><v>1</v></c></row>', head=late)) == "sheet.declares_entities"
    good = ods("<table:table-row/>")
    with zipfile.ZipFile(BytesIO(good)) as archive:
        content = archive.read("content.xml").replace(b"?>", b"?>" + bomb.encode(), 1)
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    assert code(out.getvalue()) == "sheet.declares_entities"


def test_one_text_used_many_times() -> None:
    """Ten thousand cells that share one huge text would unfold it ten thousand times."""
    huge = f"<si><t>{'长' * 2_000_000}</t></si>"
    assert code(xlsx('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', strings=huge)) == "sheet.text_too_long"
    runs = "<si>" + "<r><t>" + "x" * 1000 + "</t></r>" + "<r><t>y</t></r>" * 60_000 + "</si>"
    assert code(xlsx('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', strings=runs)) == "sheet.text_too_long"


def test_unreadable_text_files(catalogue: Catalogue) -> None:
    assert code(b"\x81\xff\xfe abc \xff\xff", catalogue=catalogue) == "sheet.unknown_encoding"
    assert code(b'a,b\n"never closed,' + b"x" * 200_000, catalogue=catalogue) == "sheet.csv_broken"


def test_too_many_rows_and_columns_are_cut_with_a_warning(catalogue: Catalogue) -> None:
    limits = Limits(max_rows=3, max_columns=2)
    with open_sheets(b"a,b,c\n1,2,3\n1,2,\n1,2,3\n1,2,3\n", "x.csv", limits) as book:
        found = [row for _, row in book.rows("x")]
        assert found == [("a", "b"), ("1", "2"), ("1", "2")]
        assert [p.code for p in book.problems] == ["sheet.columns_cut", "sheet.rows_cut"]
        assert "前面" not in catalogue.text(book.problems[0], "zh")[0]


def test_rows_may_be_left_half_read() -> None:
    with open_sheets(b"a,b\n1,2\n3,4\n", "x.csv") as book:
        some = book.rows("x")
        assert next(some) == (1, ("a", "b"))
        some.close()
        assert len(list(book.rows("x"))) == 3
        late = book.rows("x")
        next(late)
    late.close()


def test_no_such_sheet() -> None:
    with open_sheets(xlsx(""), "x.xlsx") as book, pytest.raises(Refused) as refused:
        list(book.rows("没有"))
    assert refused.value.problems[0].code == "sheet.no_such_sheet"
    assert refused.value.kind == "missing"


# --- writing ------------------------------------------------------------------------------------------------------


def test_written_lists_come_back(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    lines: list[tuple[object, ...]] = [
        ("=1+1", Decimal("12.345678"), date(2025, 12, 1), True),
        ("-5℃", Decimal("123456789012345678.25"), datetime(2025, 12, 1, 8, 30), None),
        ("@cmd", Decimal("-0.01"), None, False),
    ]
    columns = [
        WriteColumn("名称", 20),
        WriteColumn("数量", number_format="0.00"),
        WriteColumn("日期"),
        WriteColumn("启用"),
    ]
    assert write_xlsx(path, columns, lines, sheet="库存/明细") == 3  # type: ignore[arg-type]
    found = rows(path)
    assert found[0] == ("名称", "数量", "日期", "启用")
    assert found[1] == ("'=1+1", Decimal("12.345678"), date(2025, 12, 1), True)
    assert found[2] == ("'-5℃", "123456789012345678.25", datetime(2025, 12, 1, 8, 30), None)
    assert [clean_cell(row[0], Purpose.TEXT).value for row in found[1:]] == ["=1+1", "-5℃", "@cmd"]  # type: ignore[arg-type]
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert CalamineWorkbook.from_path(path).sheet_names == ["库存_明细"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_formulas_are_guarded(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert guard(f"x{text}") == f"x{text}"


def test_csv_export(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert write_csv(path, [WriteColumn("名称"), WriteColumn("数量")], [("=cmd|x", Decimal("-1.50"))]) == 1
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.read_text("utf-8-sig").splitlines() == ["名称,数量", "'=cmd|x,-1.50"]


def test_error_rows_can_be_corrected_and_uploaded_again(tmp_path: Path) -> None:
    path = tmp_path / "errors.xlsx"
    bad = ErrorRow(number=7, cells=("A1", "abc"), errors={1: "“abc”不是数字。", -1: "整行重复。"})
    assert write_error_rows(path, ["编码", "数量", "备注"], [bad]) == 1
    found = rows(path)
    assert found[0] == ("行号", "编码", "数量", "备注", "错误")
    assert found[1] == (Decimal(7), "A1", "abc", None, "整行重复。\n数量：“abc”不是数字。")
    with open_sheets(path, "x.xlsx") as book:
        match = find_header(book.head("错误行"))
    assert match is not None
    assert [column.header for column in match.columns] == ["行号", "编码", "数量", "备注", "错误"]


# --- size ---------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_rows() -> None:
    cell = '<c r="{}{}" t="inlineStr"><is><t>商品{}</t></is></c>'
    sheet = "".join(
        f'<row r="{n}">{"".join(cell.format(letter, n, n) for letter in "ABCDEF")}<c r="G{n}"><v>{n}.5</v></c></row>'
        for n in range(1, 100_001)
    )
    with open_sheets(xlsx(sheet), "big.xlsx") as book:
        count = total = 0
        for _, row in book.rows("表"):
            count += 1
            assert isinstance(row[6], Decimal)
            total += int(row[6])
    assert count == 100_000
    assert total == 5_000_050_000
    assert book.problems == ()
