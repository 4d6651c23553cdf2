"""Filters of a list: from path, operator and raw value to what storage is asked, and to the chip people see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import Value
from engine.fieldtypes import BUILT_IN
from engine.fieldtypes.contract import Operator, settled
from engine.labels import joined
from engine.permissions import FormAccess
from engine.problems import Problem, problem, suggestion
from engine.values import number_in
from runtime.facade.cells import Names, target_of
from runtime.facade.door import Door
from runtime.facade.list_views import FilterView
from runtime.facade.system_columns import system_column


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFilter:
    """A filter that was understood. ``field`` is None for a system field; ``value`` is parsed."""

    path: str
    operator: Operator
    value: object
    raw: str
    label: str
    field: CompiledField | None

    def want(self, names: Names) -> None:
        """Note the names its chip will show."""
        if self.field is not None:
            for one in self._values():
                names.want(self.field, one)

    def view(self, names: Names) -> FilterView:
        """Its chip, once the names are loaded."""
        text = self.raw
        if self.field is not None and self.value is not None:
            cell = names.cells(self.field)
            written = self.field.type_name != "choice"
            text = joined(
                (one if isinstance(one, str) and written else cell(one).text for one in self._values()), names.language
            )
        return FilterView(path=self.path, label=self.label, operator=str(self.operator), raw=self.raw, text=text)

    def _values(self) -> tuple[Value, ...]:
        return self.value if isinstance(self.value, tuple) else (cast("Value", self.value),)


def understood(
    door: Door,
    form: CompiledForm,
    access: FormAccess,
    asked: tuple[str, str, str],
    opens_amounts: bool,
    problems: list[Problem],
) -> AskedFilter | None:
    """The filter ``asked`` means (path, operator, raw value); None, with its problems added, when it means none.

    ``opens_amounts``: whether the form's list has a 结算状态.
    """
    path, word, raw = asked
    field = form.field(path)
    system = system_column(form, path, opens_amounts)
    if field is not None and not access.readable(path):
        problems.append(problem("permission.field_denied", path, field=field.label))
        return None
    if field is None and system is None:
        problems.append(problem("field.unknown", path, name=path, form=form.label, **suggestion(path, form.fields)))
        return None
    kind = field.type if field else BUILT_IN[system.type_name] if system else None
    options = field.options if field else system.options if system else None
    if kind is None or options is None or word not in [str(one) for one in kind.operators]:
        problems.append(problem("list.bad_operator", path, operator=word))
        return None
    operator = Operator(word)
    label = field.label.text(door.language) if field else door.house.catalogue.ui(f"system.{path}", door.language)
    value: object = None
    if operator not in (Operator.EMPTY, Operator.NOT_EMPTY):
        texts = raw.split(",") if operator is Operator.IN else [raw]
        values: list[Value] = []
        for text in texts:
            if operator in (Operator.CONTAINS, Operator.STARTS):
                values.append(text)
                continue
            parsed, refusals = settled(kind.parse(int(text) if _is_id(field, text) else text, options))
            problems.extend(one.at(path) for one in refusals)
            values.append(parsed[0] if isinstance(parsed, tuple) and parsed else parsed)
        value = tuple(values) if operator is Operator.IN else values[0]
    return AskedFilter(path=path, operator=operator, value=value, raw=raw, label=label, field=field)


def _is_id(field: CompiledField | None, text: str) -> bool:
    return field is not None and bool(target_of(field)) and number_in(text) is not None
