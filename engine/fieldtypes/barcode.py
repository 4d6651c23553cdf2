"""``barcode``: a GTIN with its check digit verified, or any text a Code 128 label can carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import BaseModel

from engine.document import Value
from engine.fieldtypes.contract import NoOptions
from engine.fieldtypes.textual import TextualField
from engine.fieldtypes.words import half_width, shown
from engine.problems import Problem, problem

LONGEST = 48
GTIN_LENGTHS = (8, 12, 13, 14)
CODE_128 = re.compile(r"[\x20-\x7e]+")
SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]{1,3}")


def check_digit(digits: str) -> int:
    """The last digit a GTIN beginning with ``digits`` must have: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


class BarcodeOptions(NoOptions):
    """Options of ``barcode``: whether codes as long as a GTIN must end in the right check digit."""

    check_digit: bool = True


class Barcode(TextualField):
    """条码."""

    name: ClassVar[str] = "barcode"
    options: ClassVar[type[BaseModel]] = BarcodeOptions
    widget: ClassVar[str] = "barcode"

    def longest(self, options: BaseModel) -> int:
        return LONGEST

    def tidy(self, text: str, options: BaseModel) -> str | Problem:
        text = half_width(text)
        if SCIENTIFIC.fullmatch(text):
            return problem("field.digits_lost", value=text)
        return text if CODE_128.fullmatch(text) else problem("field.not_a_barcode", value=shown(text))

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        yield from super().check(value, options)
        if isinstance(value, str) and value.isdigit() and len(value) in GTIN_LENGTHS:
            expected = check_digit(value[:-1])
            if BarcodeOptions.of(options).check_digit and int(value[-1]) != expected:
                yield problem("field.check_digit", value=value, expected=str(expected))

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {**super().json_schema(options), "pattern": "^[\\x20-\\x7e]+$"}
