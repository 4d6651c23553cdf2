"""What every command is handed: the settings, the texts, and a way to speak. Built once by `runtime.cli`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import typer

from engine.labels import Language
from engine.problems import Problem
from runtime.messages.catalogue import Catalogue, Shown
from runtime.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of the command line."""

    settings: Settings
    catalogue: Catalogue

    @property
    def language(self) -> Language:
        """The language the command speaks."""
        return self.settings.language

    def ui(self, key: str, **params: Shown) -> str:
        """A text of the interface in the language of this run."""
        return self.catalogue.ui(key, self.language, **params)

    def say(self, key: str, **params: Shown) -> None:
        """Print the text under ``key`` to standard output."""
        typer.echo(self.ui(key, **params))

    def report(self, problems: Iterable[Problem]) -> None:
        """Print problems to standard error, one line each: ``file:line:column code sentence hint``."""
        for each in problems:
            print(self.catalogue.line(each, self.language), file=sys.stderr)


def invocation(context: typer.Context) -> Invocation:
    """The `Invocation` that ``runtime.cli`` put into ``context``."""
    found = context.find_object(Invocation)
    if found is None:
        raise LookupError("the command was not started by runtime.cli")
    return found
