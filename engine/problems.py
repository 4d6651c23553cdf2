"""What can be wrong, as a value: a code, an address and the figures a sentence needs.

A ``Problem`` carries no prose. Its sentence and hint live under its code in the message catalogues, one per language,
so that every surface (page, API, command line, import) says the same thing in the reader's language. Checks collect
problems and return them all; only the outermost door turns them into an exit code or an HTTP status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from engine.labels import Label

Param: TypeAlias = str | int | Decimal | date | Label
NO_PARAMS: Mapping[str, Param] = MappingProxyType({})


class Severity(StrEnum):
    """How much a problem weighs: an error stops, a warning needs a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: stable identifier ``area.name``; texts in every language are kept under it.
        where: address. In definitions ``forms/receipt.yaml:41:7``; in a document a field path ``qty``,
            ``lines.3.qty`` (line counted from 1); empty when the whole document or request is meant.
        params: figures and names the sentence mentions. ``suggestion`` is the did-you-mean.
        severity: error or warning.
    """

    code: str
    where: str = ""
    params: Mapping[str, Param] = field(default_factory=lambda: NO_PARAMS)
    severity: Severity = Severity.ERROR

    def at(self, prefix: str) -> Problem:
        """The same problem with its address put below ``prefix`` (``lines.3`` + ``qty`` → ``lines.3.qty``)."""
        return replace(self, where=f"{prefix}.{self.where}" if self.where else prefix)


def problem(code: str, where: str = "", /, **params: Param) -> Problem:
    """Short form: ``problem("field.required", "lines.2.qty", field=label)``."""
    return Problem(code=code, where=where, params=MappingProxyType(params))


def suggestion(name: str, candidates: Iterable[str]) -> dict[str, Param]:
    """``{"suggestion": nearest}`` for a misspelt ``name``, or ``{}`` when nothing is near."""
    near = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return {"suggestion": near[0]} if near else {}


class Refused(Exception):
    """Raised at a stage border when a unit of work cannot go on; carries every problem found.

    Args:
        problems: at least one problem.
        kind: why, in the vocabulary of the doors: ``invalid`` (422), ``forbidden`` (403), ``missing`` (404),
            ``conflict`` (409).
    """

    def __init__(self, problems: Iterable[Problem], kind: str = "invalid") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.kind = kind
        super().__init__(", ".join(f"{p.where} {p.code}".strip() for p in self.problems))


def distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems in order, each once."""
    found: list[Problem] = []
    for each in problems:
        if each not in found:
            found.append(each)
    return tuple(found)
