"""Rules ready to be judged: names resolved, expressions checked, schedules read. Immutable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from engine.decisions.table import Table
from engine.definitions.people import listed
from engine.definitions.rule import Lookup, RuleDef
from engine.expressions import Checked, Path, Scope, ValueType
from engine.schedules.schedule import Schedule

# Where an expression stands in the file: ``("then", 0, "set", "price")``.
At: TypeAlias = tuple[str | int, ...]
ROW, LINE, OLD = "row", "line", "old"


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupKey:
    """``column`` of the other record must equal ``value``, which reads only what is known before: ``row``, ``line``."""

    column: str
    value: Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledLookup:
    """A look-up, its condition taken apart so that one query answers it for many records and lines at once.

    Attributes:
        keys: what the answer is grouped by. rest: the rest of the condition, None when there is none.
        type: of the figure.
    """

    definition: Lookup
    keys: tuple[LookupKey, ...]
    rest: Checked | None
    type: ValueType

    @property
    def reads_row(self) -> bool:
        """Whether ``rest`` looks at the rule's record, which then costs a query per record."""
        return self.rest is not None and any(path[0] == ROW for path in self.rest.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """A rule.

    Attributes:
        placeholders: the text between braces in any of its titles → its expression.
        expressions: every other expression by where it stands in the file.
        table: its decision table. schedule: when it comes, if it is woken by one.
        reads: the paths the condition and the inputs of the table read, in order.
        scope: what the condition sees. seen: what the consequences see, results of the table included.
    """

    definition: RuleDef
    condition: Checked
    placeholders: Mapping[str, Checked]
    scope: Scope
    seen: Scope
    expressions: Mapping[At, Checked] = field(default_factory=_nothing)
    lookups: Mapping[str, CompiledLookup] = field(default_factory=_nothing)
    table: Table | None = None
    schedule: Schedule | None = None
    reads: tuple[Path, ...] = ()

    def follows(self) -> Iterator[tuple[Path, str]]:
        """Every path its expressions read, as seen from its record, and the line table they stand on (or empty)."""
        yield from ((path, "") for path in self.named())
        for checked, table in self.placed():
            for path in checked.names:
                if path[0] in (ROW, OLD):
                    yield path[1:], ""
                elif path[0] == LINE:
                    yield path[1:], table
                else:
                    yield path, table
        for at, checked in self.expressions.items():
            if self._of_others(at):
                yield from ((path[1:], "") for path in checked.names if path[0] == ROW)

    def named(self) -> Iterator[Path]:
        """Fields that are named outright, not in an expression: of recipients, and links to what is updated."""
        told = [step.to for step in self.definition.escalate]
        for then in self.definition.then:
            told += [each.to for each in (then.task, then.message) if each is not None]
            if then.update is not None and then.update.link is not None:
                yield (then.update.link,)
        for whom in told:
            yield from (tuple(way.field.split(".")) for way in listed(whom) if way.field is not None)

    def placed(self) -> Iterator[tuple[Checked, str]]:
        """Every expression that stands on its own record, and the line table it is made for (or empty)."""
        yield self.condition, ""
        for checked in self.placeholders.values():
            yield checked, ""
        for at, checked in self.expressions.items():
            if not self._of_others(at):
                yield checked, self._table(at)
        for lookup in self.lookups.values():
            for key in lookup.keys:
                yield key.value, lookup.definition.each or ""
        if self.table is not None:
            for checked in self.table.inputs.values():
                yield checked, ""
            for row in self.table.rows:
                for checked in (*row.cells.values(), *row.results.values()):
                    yield checked, ""
            for checked in self.table.otherwise.values():
                yield checked, ""

    def _table(self, at: At) -> str:
        """The line table an expression stands on."""
        if at[0] != "then" or len(at) < 4:
            return ""
        if at[2] == "set":
            return str(at[3]).partition(".")[0] if "." in str(at[3]) else ""
        create = self.definition.then[int(at[1])].create
        return create.each or "" if create is not None and at[3] in ("when", "lines") else ""

    def _of_others(self, at: At) -> bool:
        """Whether the expression stands on another record, which it names ``where`` or sets fields of."""
        if at[0] != "then" or at[2] != "update":
            return False
        update = self.definition.then[int(at[1])].update
        return update is not None and update.form is not None
