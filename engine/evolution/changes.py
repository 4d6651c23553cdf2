"""The closed set of changes to the tables of an app. A change is a value first: shown, judged, and only then performed.

Each names its table and columns as storage knows them and carries the words people read. ``loses_data`` says whether
something a person entered may be gone afterwards; performing a change is not the business of this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from engine.fieldtypes.contract import Column
from engine.labels import Label
from engine.problems import Param, Problem, Severity, problem


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """Parent of all changes: the table, and the words for it."""

    table: str
    table_label: Label

    @property
    def loses_data(self) -> bool:
        """Whether something a person entered may be gone afterwards."""
        return False

    @property
    def touches_storage(self) -> bool:
        """Whether the database has anything to do."""
        return True

    def describe(self) -> Problem:
        """The change in words: a code with parameters; a warning when data may be lost."""
        raise TypeError(f"{type(self).__name__} is no change by itself")

    def _told(self, code: str, **params: Param) -> Problem:
        told = problem(code, self.table, table=self.table_label, **params)
        return replace(told, severity=Severity.WARNING) if self.loses_data else told


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTable(TableChange):
    """A new form, or a new line table of a form; with all its columns and indexes."""

    def describe(self) -> Problem:
        return self._told("evolution.add_table")


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(TableChange):
    """A form or line table that is no longer defined, with everything in it."""

    @property
    def loses_data(self) -> bool:
        return True

    def describe(self) -> Problem:
        return self._told("evolution.drop_table")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange(TableChange):
    """Parent of the changes to one column."""

    column: str
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class AddField(FieldChange):
    """A new column; existing rows have nothing in it."""

    kept: Column

    def describe(self) -> Problem:
        return self._told("evolution.add_field", field=self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropField(FieldChange):
    """A column that is no longer defined."""

    kept: Column

    @property
    def loses_data(self) -> bool:
        return True

    def describe(self) -> Problem:
        return self._told("evolution.drop_field", field=self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameField(FieldChange):
    """Another key or label for the same column. The database has nothing to do."""

    old_label: Label
    old_key: str
    key: str

    @property
    def touches_storage(self) -> bool:
        return False

    def describe(self) -> Problem:
        if self.old_key != self.key:
            return self._told("evolution.rename_key", field=self.label, old=self.old_key, new=self.key)
        return self._told("evolution.rename_field", field=self.label, old=self.old_label)


@dataclass(frozen=True, slots=True, kw_only=True)
class WidenField(FieldChange):
    """A column that keeps more than before: every value stays what it was (more decimals, longer texts)."""

    old: Column
    new: Column

    def describe(self) -> Problem:
        return self._told("evolution.widen_field", field=self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeType(FieldChange):
    """A column that is kept in another way.

    Attributes:
        keeps: every value has an exact counterpart in the new type. Otherwise some become empty or rounded.
    """

    old: Column
    new: Column
    keeps: bool

    @property
    def loses_data(self) -> bool:
        return not self.keeps

    def describe(self) -> Problem:
        code = "evolution.change_type" if self.keeps else "evolution.change_type_lossy"
        return self._told(code, field=self.label, old=str(self.old.storage), new=str(self.new.storage))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange(TableChange):
    """Parent of the changes to unique keys and indexes: the columns, and the words for them."""

    columns: tuple[str, ...]
    labels: tuple[Label, ...]

    @property
    def named(self) -> Label:
        """The columns in words."""
        return Label("、".join(label.zh for label in self.labels), ", ".join(label.text("en") for label in self.labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUnique(KeyChange):
    """Values that must be unique from now on. Refused where present rows already repeat themselves."""

    def describe(self) -> Problem:
        return self._told("evolution.add_unique", fields=self.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropUnique(KeyChange):
    """Values that need no longer be unique."""

    def describe(self) -> Problem:
        return self._told("evolution.drop_unique", fields=self.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIndex(KeyChange):
    """An index for a list that is sorted or filtered by these columns."""

    def describe(self) -> Problem:
        return self._told("evolution.add_index", fields=self.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIndex(KeyChange):
    """An index no list needs any more."""

    def describe(self) -> Problem:
        return self._told("evolution.drop_index", fields=self.named)


Change: TypeAlias = (
    AddTable | DropTable | AddField | DropField | RenameField | WidenField | ChangeType
    | AddUnique | DropUnique | AddIndex | DropIndex
)  # fmt: skip
