"""Bilingual words. A ``Label`` is what a person reads: Chinese first, English beside it.

A label never serves as an identifier; renaming one breaks nothing. Authors may write a bare string, which is then
the Chinese word and stands in for the English one until a translation is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def joined(texts: Iterable[str], language: str) -> str:
    """A list as people write it: ``甲、乙`` in Chinese, ``a, b`` in English."""
    return (", " if language == "en" else "、").join(texts)


@dataclass(frozen=True, slots=True)
class Label:
    """One text in the languages of the product.

    Attributes:
        zh: Chinese text, never empty.
        en: English text; empty means "not translated", and ``text`` falls back to ``zh``.
    """

    zh: str
    en: str = ""

    def text(self, language: str) -> str:
        """The text in ``language`` (``zh`` or ``en``); Chinese when the English is missing."""
        return self.en if language == "en" and self.en else self.zh

    def __str__(self) -> str:
        return self.zh

    @classmethod
    def parse(cls, raw: object) -> Label:
        """Read what an author wrote: a string, or a mapping with ``zh`` and optionally ``en``."""
        if isinstance(raw, Label):
            return raw
        if isinstance(raw, str) and raw.strip():
            return cls(zh=raw.strip())
        if isinstance(raw, dict) and set(raw) <= {"zh", "en"} and isinstance(raw.get("zh"), str) and raw["zh"].strip():
            en = raw.get("en", "")
            if isinstance(en, str):
                return cls(zh=raw["zh"].strip(), en=en.strip())
        raise PydanticCustomError("label", "expected a text or {zh, en}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda label: {"zh": label.zh, "en": label.en} if label.en else label.zh
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"zh": {"type": "string", "minLength": 1}, "en": {"type": "string"}},
                    "required": ["zh"],
                    "additionalProperties": False,
                },
            ]
        }


def listed(labels: Iterable[Label]) -> Label:
    """A list as one label. ``labels`` must not be empty."""
    found = tuple(labels)
    return Label(joined((one.zh for one in found), "zh"), joined((one.text("en") for one in found), "en"))
