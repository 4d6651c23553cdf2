"""``phone``: a telephone number: digits, ``+`` in front, ``-`` between. Chinese mobile numbers lose their +86."""

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

LONGEST = 32
MOBILE = re.compile(r"1[3-9][0-9]{9}")
KEPT = re.compile(r"\+?[0-9*]+(?:-[0-9*]+)*")
MOBILE_WITH_COUNTRY = re.compile(r"(?:\+|00)?86-?(1[3-9][0-9*]{9})")
EXTENSION = re.compile(r"(?:转|分机|ext\.?|x|#)+", re.IGNORECASE)
TRAILING_ZERO = re.compile(r"([0-9]+)\.0+")


class PhoneOptions(NoOptions):
    """Options of ``phone``.

    Attributes:
        mobile: only Chinese mobile numbers. masked: asterisks may stand for digits, as platforms deliver them
            (``138****1234``).
    """

    mobile: bool = False
    masked: bool = False


class Phone(TextualField):
    """电话."""

    name: ClassVar[str] = "phone"
    options: ClassVar[type[BaseModel]] = PhoneOptions
    widget: ClassVar[str] = "phone"

    def longest(self, options: BaseModel) -> int:
        return LONGEST

    def tidy(self, text: str, options: BaseModel) -> str | Problem:
        number = compacted(half_width(text[:100]))
        digits = sum(character.isdigit() or character == "*" for character in number)
        if not KEPT.fullmatch(number) or not 3 <= digits <= 20 or len(number) > LONGEST or len(text) > 100:
            return problem("field.not_a_phone", value=shown(text))
        # Eleven digits that begin with 1 are meant as a mobile number, so a wrong second digit is a slip.
        if number.isdigit() and len(number) == 11 and number[0] == "1" and not MOBILE.fullmatch(number):
            return problem("field.not_a_phone", value=shown(text))
        return number

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = PhoneOptions.of(options)
        if isinstance(value, str):
            if "*" in value and not own.masked:
                yield problem("field.phone_masked", value=value)
            if own.mobile and not MOBILE.fullmatch(value.replace("*", "3") if own.masked else value):
                yield problem("field.not_a_mobile", value=value)

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        digit = "[0-9*]" if PhoneOptions.of(options).masked else "[0-9]"
        pattern = f"^1[3-9]{digit}{{9}}$" if PhoneOptions.of(options).mobile else f"^\\+?{digit}+(-{digit}+)*$"
        return {"type": "string", "minLength": 3, "maxLength": LONGEST, "pattern": pattern}


def compacted(text: str) -> str:
    """Without the spaces, brackets and dots people put in: ``(0571) 8888 8888 转 801`` → ``0571-88888888-801``."""
    whole = TRAILING_ZERO.fullmatch(text)
    text = whole[1] if whole else text
    text = EXTENSION.sub("-", text.replace("(", "-").replace(")", "-").replace(".", "-").replace("/", "/"))
    text = re.sub(r"-+", "-", "".join(text.split())).strip("-").replace("+-", "+")
    bare = text.replace("-", "")
    if MOBILE.fullmatch(bare):
        return bare
    country = MOBILE_WITH_COUNTRY.fullmatch(bare)
    return country[1] if country else text
