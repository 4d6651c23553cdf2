"""The type attachment and image share: a list of ids of uploaded files. Whose file it is, storage knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, Field

from engine.document import Value
from engine.expressions.types import Kind, ValueType
from engine.fieldtypes.contract import Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import cleaned, is_blank, shown
from engine.labels import Label, Language
from engine.problems import Problem, problem

FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MEGABYTE = 1024 * 1024
MOST_FILES = 100


def _extension(raw: object) -> object:
    return raw.strip().lower().removeprefix(".") if isinstance(raw, str) else raw


Extension = Annotated[str, BeforeValidator(_extension), Field(pattern=r"^[a-z0-9]{1,10}$")]


class FileOptions(NoOptions):
    """Options of files.

    Attributes:
        max_files: files per field. max_mb: size of one file in megabytes.
        accept: extensions allowed, without the dot; empty for any.
    """

    max_files: Annotated[int, Field(ge=1, le=MOST_FILES)] = 20
    max_mb: Annotated[int, Field(ge=1, le=1000)] = 20
    accept: tuple[Extension, ...] = ()


class FilesField:
    """Parent of attachment and image."""

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]] = FileOptions
    operators: ClassVar[tuple[Operator, ...]] = (Operator.EMPTY, Operator.NOT_EMPTY)
    widget: ClassVar[str]
    counted: ClassVar[tuple[Label, Label]]

    def value_type(self, options: BaseModel) -> ValueType:
        return ValueType(Kind.CHOICES)

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.JSON)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if is_blank(raw):
            return None
        entries = list(raw) if isinstance(raw, list | tuple) else [raw]
        if len(entries) > 10 * MOST_FILES:
            return (problem("field.too_many_files", count=len(entries), max=MOST_FILES),)
        found: dict[str, None] = {}
        problems: list[Problem] = []
        for entry in entries:
            text = entry.get("id") if isinstance(entry, Mapping) else entry
            text = cleaned(text) if isinstance(text, str) and len(text) <= 200 else text
            if isinstance(text, str) and FILE_ID.fullmatch(text):
                found[text] = None
            elif entry is not None and text != "":
                problems.append(problem("field.not_a_file", value=shown(text)))
        return tuple(problems) or tuple(found) or None

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        most = FileOptions.of(options).max_files
        if isinstance(value, tuple) and len(value) > most:
            yield problem("field.too_many_files", count=len(value), max=most)

    def check_file(self, name: str, size: int, options: BaseModel) -> Iterator[Problem]:
        """Problems of one file about to be uploaded, from its name and its size in bytes."""
        own = FileOptions.of(options)
        extension = name.rpartition(".")[2].lower() if "." in name else ""
        if own.accept and extension not in own.accept:
            yield problem("field.file_kind", value=shown(name), accept=", ".join(own.accept))
        if size > own.max_mb * MEGABYTE:
            yield problem("field.file_too_large", value=shown(name), max=own.max_mb)

    def to_json(self, value: Value, options: BaseModel) -> object:
        return list(value) if isinstance(value, tuple) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        if not isinstance(value, tuple):
            return ""
        return f"{len(value)} {self.counted[0 if len(value) == 1 else 1].text(language)}"

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        item = {"type": "string", "pattern": f"^{FILE_ID.pattern}$"}
        most = FileOptions.of(options).max_files
        return {"type": "array", "items": item, "uniqueItems": True, "minItems": 1, "maxItems": most}
