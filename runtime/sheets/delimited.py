"""CSV and TSV: which encoding, which separator, then row by row.

UTF-8 (with or without mark) and UTF-16 with mark are tried strictly, then GB18030, which every Chinese Excel writes.
Text stays text; what is a number is decided later.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import BinaryIO

from engine.problems import Refused, problem
from engine.sheets import NumberedRow, Row

_SEPARATORS = (",", "\t", ";", "|", "，")
_CHUNK = 1 << 18


def encoding_of(file: BinaryIO) -> str:
    """The encoding the whole file can be read in.

    Raises:
        Refused: no known encoding fits.
    """
    file.seek(0)
    head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates: tuple[str, ...] = ("utf-16",)
    elif head.startswith(codecs.BOM_UTF8):
        candidates = ("utf-8-sig",)
    else:
        candidates = ("utf-8-sig", "gb18030")
    for name in candidates:
        if _decodes(file, name):
            return name
    raise Refused([problem("sheet.unknown_encoding")])


def _decodes(file: BinaryIO, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    file.seek(0)
    try:
        while piece := file.read(_CHUNK):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def separator_of(lines: list[str]) -> str:
    """The separator that splits most lines into the same number of parts; a comma when none does."""
    best = (0, 0, ",")
    for order, separator in enumerate(_SEPARATORS):
        counts = [_outside_quotes(line, separator) for line in lines if line.strip()]
        counts = [n for n in counts if n]
        if counts:
            usual = max(set(counts), key=counts.count)
            best = max(best, (counts.count(usual) * min(usual, 3), -order, separator))
    return best[2]


def _outside_quotes(line: str, separator: str) -> int:
    return sum(part.count(separator) for part in line.split('"')[0::2])


def read_rows(file: BinaryIO, encoding: str) -> Iterator[NumberedRow]:
    """Every row with its number from 1; empty rows are empty tuples. Leaves ``file`` open.

    Raises:
        Refused: while iterating, where a quote is never closed or a field is absurdly long.
    """
    file.seek(0)
    text = TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    try:
        lines = []
        for _ in range(30):
            line = text.readline(1 << 16)
            if not line:
                break
            lines.append(line)
        separator = separator_of(lines)
        text.seek(0)
        number = 0
        try:
            for fields in csv.reader(text, delimiter=separator):
                number += 1
                if number == 1 and len(fields) == 1 and fields[0].lower().startswith("sep="):
                    yield number, ()
                    continue
                yield number, _row(fields)
        except csv.Error as error:
            raise Refused([problem("sheet.csv_broken", row=number + 1)]) from error
    finally:
        with suppress(ValueError):  # the file was closed before the last row was asked for
            text.detach()


def _row(fields: list[str]) -> Row:
    return tuple(field if field else None for field in fields)
