"""Reads the expressions of a bundle: text × scope → ``Checked``, with every problem put at its line and column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from engine.definitions.file_kinds import FileKind
from engine.definitions.load import Loaded
from engine.definitions.placeholders import holes
from engine.expressions import Checked, Scope, Tree, ValueType, check, parse
from engine.expressions.types import BOOLEAN
from engine.kinds import Kinds
from engine.labels import Label
from engine.problems import Problem, problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: in which definition, and at which path in its tree."""

    kind: FileKind
    name: str
    path: tuple[str | int, ...]

    def __truediv__(self, step: str | int) -> Place:
        return Place(self.kind, self.name, (*self.path, step))


@dataclass(slots=True)
class Reading:
    """One compilation: the definitions, and the problems collected so far."""

    loaded: Loaded
    kinds: Kinds
    problems: list[Problem] = field(default_factory=list)

    def where(self, place: Place, offset: int = 0) -> str:
        """Address of the value at ``place``, ``offset`` characters into it."""
        return self.loaded.where(place.kind, place.name, *place.path, offset=offset)

    def report(self, code: str, place: Place, **params: str | int) -> None:
        """Collect a problem at a value."""
        self.problems.append(problem(code, self.where(place), **params))

    def expression(
        self, text: str, scope: Scope, place: Place, expected: ValueType | None = None, offset: int = 0
    ) -> Checked | None:
        """``text`` checked against ``scope``; None after reporting what is wrong with it."""
        tree = parse(text)
        result = check(tree, scope, expected, self.kinds.functions) if isinstance(tree, Tree) else tree
        if isinstance(result, Checked):
            return result
        for found in result:
            column = int(str(found.params.get("column", 1))) - 1
            self.problems.append(replace(found, where=self.where(place, offset + column)))
        return None

    def optional(
        self, text: str | None, scope: Scope, place: Place, expected: ValueType | None = None
    ) -> Checked | None:
        """Like ``expression``, and None when nothing is written."""
        return None if text is None else self.expression(text, scope, place, expected)

    def switch(self, written: bool | str, scope: Scope, place: Place) -> bool | Checked:
        """A constant, or a condition."""
        if isinstance(written, bool):
            return written
        return self.expression(written, scope, place, BOOLEAN) or False

    def titles(self, label: Label, scope: Scope, place: Place) -> dict[str, Checked]:
        """The expressions between the braces of a label in either language, by their text."""
        found: dict[str, Checked] = {}
        is_map = isinstance(self._written(place), dict)
        for language, text in (("zh", label.zh), ("en", label.en)):
            at = place / language if is_map else place
            for hole in holes(text):
                if not hole.closed:
                    self.problems.append(problem("definition.open_brace", self.where(at, hole.at - 1)))
                elif hole.text not in found and (read := self.expression(hole.text, scope, at, offset=hole.at)):
                    found[hole.text] = read
        return found

    def _written(self, place: Place) -> object:
        node = self.loaded.nodes.get(place.kind.file(place.name))
        return node.at(place.path) if node is not None else None
