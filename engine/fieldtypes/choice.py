"""``choice``: one of a fixed list. The key is kept; people read and type the label in either language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from engine.document import Value
from engine.expressions.types import Kind, ValueType
from engine.fieldtypes.contract import EQUALITY, Column, NoOptions, Operator, Parsed, Storage
from engine.fieldtypes.words import cleaned, folded, is_blank, read_text, shown
from engine.labels import Label, Language
from engine.problems import Problem, problem, suggestion

KEY_LENGTH = 64
SHOWN_CHOICES = 12


def _listed(raw: object) -> object:
    """A list of texts or labels stands for a mapping in which each Chinese text is its own key."""
    if not isinstance(raw, list | tuple):
        return raw
    labels = [Label.parse(item) for item in raw]
    keys = [label.zh for label in labels]
    if len(set(keys)) < len(keys):
        raise PydanticCustomError("definition.choices_repeated", "a choice is listed twice")
    return dict(zip(keys, labels, strict=True))


Choices: TypeAlias = dict[str, Label] | list[Label]  # what an author may write


class ChoiceOptions(NoOptions):
    """Options of ``choice``.

    Attributes:
        choices: key → label, in the order shown; or a list of labels, which are then their own keys.
    """

    choices: Annotated[
        dict[str, Label], BeforeValidator(_listed, json_schema_input_type=Choices), Field(min_length=1, max_length=500)
    ]

    @model_validator(mode="after")
    def _told_apart(self) -> ChoiceOptions:
        seen: dict[str, str] = {}
        for key, label in self.choices.items():
            if not key or key != cleaned(key) or len(key) > KEY_LENGTH:
                raise PydanticCustomError("definition.choice_key", "a key has 1 to 64 characters and no outer spaces")
            for spelling in (key, label.zh, label.en):
                if spelling and seen.setdefault(folded(spelling), key) != key:
                    raise PydanticCustomError("definition.choices_repeated", "two choices read the same")
        return self

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every way to write a choice, folded → key."""
        return {
            folded(spelling): key
            for key, label in self.choices.items()
            for spelling in (key, label.zh, label.en)
            if spelling
        }

    def key_of(self, raw: object) -> str | Problem:
        """The key ``raw`` means. Problems: ``field.not_a_choice``, ``field.not_text``, ``field.float_too_long``."""
        if isinstance(raw, str) and raw in self.choices:
            return raw
        text = read_text(raw[:1000] if isinstance(raw, str) else raw)
        if isinstance(text, Problem):
            return text
        found = self.spellings.get(folded(text))
        if found is not None:
            return found
        names = [name for label in self.choices.values() for name in (label.zh, label.en) if name]
        near = suggestion(text[:100], names)
        return problem("field.not_a_choice", "", value=shown(text), choices=self.listing(), **near)

    def listing(self) -> Label:
        """The first labels, for a sentence."""
        first = list(self.choices.values())[:SHOWN_CHOICES]
        more = "…" if len(self.choices) > SHOWN_CHOICES else ""
        return Label(
            zh="、".join(label.zh for label in first) + more,
            en=", ".join(label.text("en") for label in first) + more,
        )

    def text(self, key: str, language: Language) -> str:
        """Label of ``key``; the key itself when it is no longer offered."""
        return self.choices[key].text(language) if key in self.choices else key


class Choice:
    """单选."""

    name: ClassVar[str] = "choice"
    options: ClassVar[type[BaseModel]] = ChoiceOptions
    operators: ClassVar[tuple[Operator, ...]] = EQUALITY
    widget: ClassVar[str] = "choice"

    def value_type(self, options: BaseModel) -> ValueType:
        return ValueType(Kind.TEXT, choices=tuple(ChoiceOptions.of(options).choices))

    def column(self, options: BaseModel) -> Column:
        return Column(Storage.TEXT, length=KEY_LENGTH)

    def parse(self, raw: object, options: BaseModel) -> Parsed:
        if is_blank(raw):
            return None
        key = ChoiceOptions.of(options).key_of(raw)
        return (key,) if isinstance(key, Problem) else key

    def check(self, value: Value, options: BaseModel) -> Iterator[Problem]:
        own = ChoiceOptions.of(options)
        if value not in own.choices:
            yield problem("field.not_a_choice", value=shown(value), choices=own.listing())

    def to_json(self, value: Value, options: BaseModel) -> object:
        return value if isinstance(value, str) else None

    def format(self, value: Value, options: BaseModel, language: Language) -> str:
        return ChoiceOptions.of(options).text(value, language) if isinstance(value, str) else ""

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {"type": "string", "enum": list(ChoiceOptions.of(options).choices)}
