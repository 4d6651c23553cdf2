"""What kind of file this is, judged by its bytes and never by its name, and whether its wrapping is safe to open.

Runs before any parser sees the file. A zip is inflated once, piece by piece, with a ceiling; what its directory claims
is not believed. An OLE2 file is opened far enough to see whether it is encrypted.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from engine.labels import Label
from engine.problems import Refused, problem


class FileKind(StrEnum):
    """The spreadsheet formats that are read."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a file may ask for.

    Attributes:
        max_bytes: size of the file. max_unpacked: size of a zip's content. max_ratio: unpacked to packed, looked at
            above 10 MB. max_members: files in a zip. max_rows, max_columns: what is read; the rest is cut with a
            warning. max_cells: rows times columns of a sheet's used area, empty cells included, which is what the
            parser needs memory for. max_text: bytes of the XML of one text.
    """

    max_bytes: int = 20 << 20
    max_unpacked: int = 200 << 20
    max_ratio: int = 100
    max_members: int = 2000
    max_rows: int = 200_000
    max_columns: int = 200
    max_cells: int = 4_000_000
    max_text: int = 256 << 10


_CHUNK = 1 << 18
_RATIO_FROM = 10 << 20
_NO_SECTOR = 0xFFFFFFFA
_SMALL_STREAM = 4096
_MOST_RESERVED = 1 << 26
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DISGUISES: tuple[tuple[bytes, Label], ...] = (
    (b"%pdf", Label("PDF 文件", "a PDF file")),
    (b"{\\rtf", Label("RTF 文档", "an RTF document")),
    (b"\x89png", Label("图片", "a picture")),
    (b"\xff\xd8\xff", Label("图片", "a picture")),
    (b"gif8", Label("图片", "a picture")),
    (b"rar!", Label("RAR 压缩包", "a RAR archive")),
    (b"7z\xbc\xaf", Label("7z 压缩包", "a 7z archive")),
    (b"\x1f\x8b", Label("gzip 压缩包", "a gzip archive")),
)
_HTML = Label("网页（HTML）", "a web page (HTML)")
_XML = Label("XML 文件", "an XML file")
_ZIP = Label("ZIP 压缩包", "a ZIP archive")
_OTHER_OFFICE = Label("其他 Office 文档", "another kind of Office document")
_BINARY = Label("无法识别的二进制文件", "an unknown binary file")
_ENCRYPTED_STREAMS = frozenset({"EncryptedPackage", "EncryptionInfo"})


def damaged() -> Refused:
    """The file calls itself a spreadsheet but cannot be read as one."""
    return Refused([problem("sheet.damaged")])


def kind_of(file: BinaryIO) -> FileKind:
    """The format by content.

    Raises:
        Refused: empty, encrypted or no spreadsheet at all.
    """
    file.seek(0)
    head = file.read(4096)
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Refused([problem("sheet.empty_file")])
    if head.startswith(_OLE):
        return FileKind.XLS
    if head.startswith(b"PK"):
        return _zip_kind(file)
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, label in _DISGUISES:
        if lowered.startswith(magic):
            raise Refused([problem("sheet.not_a_spreadsheet", found=label)])
    if lowered.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<head", b"<style", b"<div", b"<script")):
        raise Refused([problem("sheet.not_a_spreadsheet", found=_HTML)])
    if lowered.startswith(b"<"):
        web = b"<html" in lowered or b"<table" in lowered
        raise Refused([problem("sheet.not_a_spreadsheet", found=_HTML if web else _XML)])
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\x00" in head:
        raise Refused([problem("sheet.not_a_spreadsheet", found=_BINARY)])
    return FileKind.CSV


def _zip_kind(file: BinaryIO) -> FileKind:
    try:
        with zipfile.ZipFile(file) as archive:
            names = frozenset(archive.namelist())
            if "xl/workbook.xml" in names:
                return FileKind.XLSX
            if "xl/workbook.bin" in names:
                return FileKind.XLSB
            if "content.xml" in names and archive.getinfo("mimetype").file_size < 200:
                if b"opendocument.spreadsheet" in archive.read("mimetype"):
                    return FileKind.ODS
                raise Refused([problem("sheet.not_a_spreadsheet", found=_OTHER_OFFICE)])
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, zlib.error, RuntimeError) as error:
        raise damaged() from error
    if "[Content_Types].xml" in names and any(name.lower().endswith("workbook.xml") for name in names):
        return FileKind.XLSX
    found = _OTHER_OFFICE if "[Content_Types].xml" in names else _ZIP
    raise Refused([problem("sheet.not_a_spreadsheet", found=found)])


class Archive:
    """A zip whose members can be inflated under a common ceiling.

    Raises:
        Refused: from the constructor, when the directory is unreadable, too long or already claims too much.
    """

    def __init__(self, file: BinaryIO, size: int, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._left = limits.max_unpacked
        if size * limits.max_ratio < limits.max_unpacked:
            self._left = max(_RATIO_FROM, size * limits.max_ratio)
        try:
            with zipfile.ZipFile(file) as archive:
                self.members: tuple[zipfile.ZipInfo, ...] = tuple(archive.infolist())
        except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise damaged() from error
        names = [member.filename for member in self.members]
        if len(names) != len(set(names)):
            raise damaged()
        if len(names) > limits.max_members or sum(m.file_size for m in self.members) > self._left:
            raise self._bomb()
        if any(member.flag_bits & 1 for member in self.members):
            raise Refused([problem("sheet.encrypted")])

    def inflate(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """The content of a member in pieces; what comes out counts against the ceiling of the whole archive."""
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise damaged()
        if member.header_offset < 0:
            raise damaged()
        self._file.seek(member.header_offset)
        header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise damaged()
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        self._file.seek(name_length + extra_length, 1)
        yield from self._deflated(member) if member.compress_type else self._stored(member)

    def _stored(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        left = member.compress_size
        while left > 0:
            piece = self._file.read(min(left, _CHUNK))
            if not piece:
                raise damaged()
            left -= len(piece)
            self._count(len(piece))
            yield piece

    def _deflated(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        stream = zlib.decompressobj(-15)
        left = member.compress_size
        pending = b""
        try:
            while not stream.eof:
                if not pending:
                    if left <= 0:
                        raise damaged()
                    pending = self._file.read(min(left, _CHUNK))
                    left -= len(pending)
                    if not pending:
                        raise damaged()
                piece = stream.decompress(pending, _CHUNK)
                pending = stream.unconsumed_tail
                if piece:
                    self._count(len(piece))
                    yield piece
        except zlib.error as error:
            raise damaged() from error

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self._bomb()

    def _bomb(self) -> Refused:
        return Refused([problem("sheet.unpacks_too_big", limit=self._limits.max_unpacked >> 20)])


class OleFile:
    """The directory of an OLE2 file and the streams in it; the whole file is at most as big as an upload may be.

    Reads the structure the way the parser will, entry names and stream lengths included, because what the two
    understand differently could be hidden from the checks. A chain that bites its own tail is refused.

    Raises:
        Refused: from every method, when the structure is broken.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            shift, mini_shift = struct.unpack_from("<HH", data, 30)
            if shift not in (9, 12) or mini_shift != 6:
                raise damaged()
            self._sector = 1 << shift
            blocks = len(data) // self._sector + 1
            fat_length, first_directory = struct.unpack_from("<II", data, 44)
            first_mini, mini_length, first_difat = struct.unpack_from("<III", data, 60)
            (reserved,) = struct.unpack_from("<I", data, 62)  # what the parser takes for the length of the DIFAT
            if max(fat_length, mini_length) > blocks or reserved > _MOST_RESERVED:
                raise damaged()
            self._fat = self._read_fat(first_difat, blocks)
            self._entries = self._read_directory(self._chain(first_directory))
            self._mini_fat: tuple[int, ...] = ()
            self._mini = b""
            if mini_length:
                self._mini_fat = _numbers(self._chain(first_mini))
                self._mini = self._chain(self._entries[0][1])
        except (struct.error, IndexError, ValueError) as error:
            raise damaged() from error

    def encrypted(self) -> bool:
        """A password-protected workbook of Excel 2007 or later wrapped into OLE2."""
        return not _ENCRYPTED_STREAMS.isdisjoint(name for name, _, _ in self._entries)

    def workbooks(self) -> tuple[bytes, ...]:
        """The streams that may hold the cells, in the order the parser tries them."""
        found: list[bytes] = []
        for wanted in ("Workbook", "Book", "WORKBOOK", "BOOK"):
            entry = next(((start, size) for name, start, size in self._entries if name == wanted), None)
            if entry is not None:
                found.append(self._stream(*entry))
        return tuple(found)

    def _block(self, number: int) -> bytes:
        start = (number + 1) * self._sector
        return self._data[start : start + self._sector]

    def _read_fat(self, difat: int, blocks: int) -> tuple[int, ...]:
        numbers = list(struct.unpack_from("<109I", self._data, 76))
        for _ in range(blocks):
            if difat >= _NO_SECTOR:
                return _numbers(b"".join(self._block(n) for n in numbers if n < _NO_SECTOR))
            numbers += _numbers(self._block(difat))
            difat = numbers.pop()
        raise damaged()

    def _chain(self, number: int) -> bytes:
        parts: list[bytes] = []
        for _ in range(len(self._fat) + 1):
            if number >= _NO_SECTOR:
                return b"".join(parts)
            block = self._block(number)
            if not block:
                break
            parts.append(block)
            number = self._fat[number]
        raise damaged()

    def _read_directory(self, data: bytes) -> tuple[tuple[str, int, int], ...]:
        found: list[tuple[str, int, int]] = []
        for at in range(0, len(data) - 127, 128):
            name = data[at : at + 64].decode("utf-16-le", "replace").partition("\0")[0]
            (start,) = struct.unpack_from("<I", data, at + 116)
            (size,) = struct.unpack_from("<I" if self._sector == 512 else "<Q", data, at + 120)
            found.append((name, start, size))
        if not found:
            raise damaged()
        return tuple(found)

    def _stream(self, start: int, size: int) -> bytes:
        try:
            if size >= _SMALL_STREAM:
                return self._chain(start)[:size]
            parts: list[bytes] = []
            while start < _NO_SECTOR and len(parts) * 64 < size:
                parts.append(self._mini[start * 64 : start * 64 + 64])
                start = self._mini_fat[start]
            return b"".join(parts)[:size]
        except (struct.error, IndexError) as error:
            raise damaged() from error


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
