"""The sentences of the product, by language and key, in one frozen value.

`load_catalogue` reads ``zh/*.yaml`` and ``en/*.yaml`` beside this module once; the composition root passes the result
on. A file ``<area>.yaml`` holds the texts of the problem codes ``<area>.*``; files ``ui_*.yaml`` hold the words of the
interface as flat ``key: text``. A text names its figures as ``{name}``; ``{{`` and ``}}`` are braces. Values are put
into words of the reader's language here, so that a problem can carry a `Label` or a `Decimal` and stay language-free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import yaml

from engine.labels import LANGUAGES, Label
from engine.problems import Problem

FOLDER = Path(__file__).parent
UI_PREFIX = "ui_"
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)\}")

Text = TypeVar("Text", str, "ProblemText")
Shown: TypeAlias = str | int | Decimal | date | Label | tuple["Shown", ...]


class MissingText(LookupError):
    """A key, or a figure a text mentions, is not there; with a strict catalogue a test fails here."""


@dataclass(frozen=True, slots=True)
class ProblemText:
    """Sentence and optional hint of one problem code in one language, with placeholders."""

    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts. ``problems`` and ``words`` map language → key → text.

    Attributes:
        strict: raise `MissingText` instead of showing the key; on in tests, off where a person waits for an answer.
    """

    problems: Mapping[str, Mapping[str, ProblemText]]
    words: Mapping[str, Mapping[str, str]]
    strict: bool = False

    def text(self, problem: Problem, language: str) -> tuple[str, str | None]:
        """Sentence and hint for ``problem``. The hint is None when there is none or one of its figures is unknown."""
        found = self.problems[language].get(problem.code)
        if found is None:
            return self._missing(problem.code), None
        params = {"where": problem.where, **problem.params}
        hint = found.hint if found.hint and placeholders(found.hint) <= params.keys() else ""
        return self._fill(found.text, params, language), self._fill(hint, params, language) if hint else None

    def line(self, problem: Problem, language: str) -> str:
        """``file:line:column code sentence hint``: one problem as the command line prints it."""
        sentence, hint = self.text(problem, language)
        return " ".join(part for part in (problem.where, problem.code, sentence, hint) if part)

    def ui(self, key: str, language: str, **params: Shown) -> str:
        """A word or sentence of the interface."""
        found = self.words[language].get(key)
        return self._missing(key) if found is None else self._fill(found, params, language)

    def has(self, key: str) -> bool:
        """Whether the interface has a text under ``key`` (for words derived from a name, such as a state)."""
        return key in self.words["zh"]

    def _fill(self, text: str, params: Mapping[str, object], language: str) -> str:
        def filled(match: re.Match[str]) -> str:
            name = match.group(1)
            if name is None:
                return match.group()[0]
            return shown(params[name], language) if name in params else self._missing(f"{text}: {name}")

        return PLACEHOLDER.sub(filled, text)

    def _missing(self, what: str) -> str:
        if self.strict:
            raise MissingText(what)
        return what


def shown(value: object, language: str) -> str:
    """``value`` in words: decimals grouped and without trailing zeros, dates as 2026-01-20, labels translated."""
    match value:
        case Label():
            return value.text(language)
        case bool():
            return ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
        case Decimal():
            return shown_decimal(value)
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case tuple() | list():
            return ("、" if language == "zh" else ", ").join(shown(each, language) for each in value)
        case None:
            return "—"
        case _:
            return str(value)


def shown_decimal(value: Decimal) -> str:
    """``1234.500`` as ``1,234.5``; never in exponent form."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def placeholders(text: str) -> frozenset[str]:
    """The names of the figures ``text`` mentions."""
    return frozenset(match.group(1) for match in PLACEHOLDER.finditer(text) if match.group(1))


def load_catalogue(folder: Path = FOLDER, *, strict: bool = False) -> Catalogue:
    """Read every message file below ``folder``. Raises ``ValueError`` naming file and key where one is malformed."""
    problems: dict[str, Mapping[str, ProblemText]] = {}
    words: dict[str, Mapping[str, str]] = {}
    for language in LANGUAGES:
        codes: dict[str, ProblemText] = {}
        texts: dict[str, str] = {}
        for path in sorted((folder / language).glob("*.yaml")):
            for key, value in _entries(path):
                if path.stem.startswith(UI_PREFIX):
                    _put(texts, key, _scalar(path, key, value), path)
                else:
                    _put(codes, key, _problem_text(path, key, value), path)
        problems[language] = MappingProxyType(codes)
        words[language] = MappingProxyType(texts)
    return Catalogue(problems=MappingProxyType(problems), words=MappingProxyType(words), strict=strict)


def _entries(path: Path) -> list[tuple[str, yaml.Node]]:
    """Keys and value nodes of one file; read as nodes, so that ``no`` stays a word and doubled keys are seen."""
    root = yaml.compose(path.read_text("utf-8"), Loader=yaml.CBaseLoader)
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{path}: expected a mapping")
    return [(str(key.value), value) for key, value in root.value]


def _problem_text(path: Path, code: str, node: yaml.Node) -> ProblemText:
    if code.split(".")[0] != path.stem or "." not in code:
        raise ValueError(f"{path}: {code} belongs into {code.split('.')[0]}.yaml")
    if not isinstance(node, yaml.MappingNode):
        return ProblemText(text=_scalar(path, code, node))
    parts = {str(key.value): _scalar(path, f"{code}.{key.value}", value) for key, value in node.value}
    if not parts.keys() <= {"text", "hint"} or "text" not in parts:
        raise ValueError(f"{path}: {code} has {sorted(parts)}, expected text and hint")
    return ProblemText(text=parts["text"], hint=parts.get("hint", ""))


def _scalar(path: Path, key: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        raise ValueError(f"{path}: {key} has no text")
    return str(node.value)


def _put(target: dict[str, Text], key: str, value: Text, path: Path) -> None:
    if key in target:
        raise ValueError(f"{path}: {key} is written twice")
    target[key] = value
