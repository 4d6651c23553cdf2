"""Rules → their compiled form: every expression checked against what it may see."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from engine.decisions.cells import condition_of
from engine.decisions.space import name_of
from engine.decisions.table import FIGURES, Table, TableRow
from engine.definitions.compiled_rule import At, CompiledLookup, CompiledRule, LookupKey
from engine.definitions.file_kinds import RULES
from engine.definitions.people import Whom, listed
from engine.definitions.process_checks import moves_of
from engine.definitions.reading import Place, Reading
from engine.definitions.rule import DecisionTable, Lookup, RuleDef, Then
from engine.definitions.rule_scopes import (
    CONSTANT,
    LINE,
    ROW,
    line_scope,
    lookup_scope,
    other_scope,
    record_of,
    rule_scope,
    target_types,
    with_lookups,
    with_names,
)
from engine.definitions.scopes import Scopes
from engine.expressions import Checked, Kind, Scope, ValueType
from engine.expressions.source import source
from engine.expressions.types import BOOLEAN, MEMBER, NOTHING, NUMBER
from engine.labels import Label
from engine.problems import Problem
from engine.schedules.read import schedule_of

CHOICES = ValueType(Kind.CHOICES)
REFERRED = (Kind.LINK, Kind.MEMBER, Kind.DEPARTMENT)


def compile_rule(rule: RuleDef, scopes: Scopes, reading: Reading, place: Place | None = None) -> CompiledRule | None:
    """None when nothing wakes the rule, or its condition is wrong.

    Args:
        place: where it is written, when not in a file of its own (see ``action_rules``).
    """
    app = reading.loaded.app
    scope = rule_scope(rule, scopes, app) if app is not None else None
    if scope is None:
        return None
    return _Compiling(rule, scopes, reading, scope, place or Place(RULES, rule.rule, ())).rule()


@dataclass(slots=True)
class _Compiling:
    """One rule being compiled; ``scope`` grows from what the condition sees to what ``then`` sees."""

    written: RuleDef
    scopes: Scopes
    reading: Reading
    scope: Scope
    place: Place
    expressions: dict[At, Checked] = field(default_factory=dict)
    placeholders: dict[str, Checked] = field(default_factory=dict)

    def rule(self) -> CompiledRule | None:
        rule = self.written
        lookups = self.look_ups()
        condition = self.reading.expression(rule.if_, self.scope, self.place / "if", BOOLEAN)
        if rule.key is not None:
            self.read(rule.key, ("key",))
        scope = self.scope
        table = self.decision(rule.table) if rule.table is not None else None
        for index, then in enumerate(rule.then):
            self.consequence(then, ("then", index))
        for index, step in enumerate(rule.escalate):
            self.people(step.to, ("escalate", index, "to"))
        if condition is None:
            return None
        schedule = schedule_of(rule.when.schedule) if rule.when.schedule else None
        inputs = table.inputs.values() if table is not None else ()
        return CompiledRule(
            definition=rule,
            condition=condition,
            placeholders=MappingProxyType(self.placeholders),
            scope=scope,
            seen=self.scope,
            expressions=MappingProxyType(self.expressions),
            lookups=MappingProxyType(lookups),
            table=table,
            schedule=None if isinstance(schedule, Problem) else schedule,
            reads=tuple(sorted(condition.names.union(*(checked.names for checked in inputs)))),
        )

    def at(self, at: At) -> Place:
        return Place(self.place.kind, self.place.name, (*self.place.path, *at))

    def read(self, text: str, at: At, expected: ValueType | None = None, scope: Scope | None = None) -> Checked | None:
        """Compile one expression and keep it under its place."""
        checked = self.reading.expression(text, scope or self.scope, self.at(at), expected)
        if checked is not None:
            self.expressions[at] = checked
        return checked

    def title(self, label: Label | None, at: At) -> None:
        if label is not None:
            self.placeholders.update(self.reading.titles(label, self.scope, self.at(at)))

    # look-ups

    def look_ups(self) -> dict[str, CompiledLookup]:
        """Compile the look-ups; their figures become names."""
        found: dict[str, CompiledLookup] = {}
        for name, lookup in self.written.lookups.items():
            compiled = self.look_up(name, lookup)
            if compiled is not None:
                found[name] = compiled
        # a look-up that did not compile was reported; its name agrees with everything
        types = {name: found[name].type if name in found else NOTHING for name in self.written.lookups}
        self.scope = with_lookups(self.scope, self.written, types)
        return found

    def look_up(self, name: str, lookup: Lookup) -> CompiledLookup | None:
        app = self.reading.loaded.app
        assert app is not None, "rules are compiled with an app"
        scope = lookup_scope(lookup, self.written, self.scope, self.scopes, app, moves_of(self.reading.loaded))
        if scope is None:
            return None
        at: At = ("lookups", name)
        checked = self.reading.expression(lookup.where, scope, self.at((*at, "where")), BOOLEAN)
        type_ = self.figure(lookup, scope, (*at, "of"))
        if checked is None or type_ is None:
            return None
        keys: list[LookupKey] = []
        rest: list[ast.expr] = []
        for part in _conjuncts(checked.node):
            key = _key(part, checked)
            if key is None:
                rest.append(part)
            else:
                keys.append(key)
        condition = _part(checked, _joined(rest)) if rest else None
        if condition is not None and any(path[0] == LINE for path in condition.names):
            self.reading.report("definition.lookup_line", self.at((*at, "where")))
        return CompiledLookup(definition=lookup, keys=tuple(keys), rest=condition, type=type_)

    def figure(self, lookup: Lookup, scope: Scope, at: At) -> ValueType | None:
        """Type of what a look-up takes."""
        if lookup.take == "count":
            return NUMBER
        if lookup.take == "exists":
            return BOOLEAN
        if lookup.of is None:
            self.reading.report("definition.lookup_of", self.at(at[:-1]), take=lookup.take)
            return None
        read = self.reading.expression(lookup.of, scope, self.at(at), NUMBER if lookup.take == "sum" else None)
        if read is not None and not isinstance(read.node, ast.Name):
            self.reading.report("definition.lookup_of", self.at(at), take=lookup.take)
        return read.type if read is not None else None

    # decision tables

    def decision(self, table: DecisionTable) -> Table:
        inputs = {
            name: read
            for name, text in table.inputs.items()
            if (read := self.reading.expression(text, self.scope, self.at(("table", "inputs", name)))) is not None
        }
        types = {name: inputs[name].type if name in inputs else NOTHING for name in table.inputs}
        self.scope = with_names(self.scope, types)
        rows = tuple(
            TableRow(
                cells=MappingProxyType(self.cells(row.when, inputs, ("table", "rows", index, "when"))),
                results=MappingProxyType(self.results(row.then, table, ("table", "rows", index, "then"))),
            )
            for index, row in enumerate(table.rows)
        )
        otherwise = self.results(table.otherwise, table, ("table", "otherwise"))
        made = Table(
            inputs=MappingProxyType(inputs),
            outputs=table.outputs,
            hit=table.hit,
            rows=rows,
            otherwise=MappingProxyType(otherwise),
        )
        self.scope = with_names(self.scope, {name: self.output(made, name) for name in table.outputs})
        return made

    def cells(self, written: Mapping[str, str], inputs: Mapping[str, Checked], at: At) -> dict[str, Checked]:
        found: dict[str, Checked] = {}
        for name, cell in written.items():
            condition = condition_of(name, cell) if name in inputs else None
            if condition is None:
                continue
            before = len(self.reading.problems)
            place = self.at((*at, name))
            read = self.reading.expression(condition.text, self.scope, place, BOOLEAN, -condition.before)
            if read is not None:
                found[name] = read
            else:  # a mistake found in what the cell does not say stands at its beginning
                for index, each in enumerate(self.reading.problems[before:], start=before):
                    if int(str(each.params.get("column", 1))) <= condition.before:
                        self.reading.problems[index] = replace(each, where=self.reading.where(place))
        return found

    def results(self, written: Mapping[str, str], table: DecisionTable, at: At) -> dict[str, Checked]:
        expected = NUMBER if table.hit == "sum" else None
        read = {
            name: self.reading.expression(text, self.scope, self.at((*at, name)), expected)
            for name, text in written.items()
            if name in table.outputs
        }
        return {name: each for name, each in read.items() if each is not None}

    def output(self, table: Table, name: str) -> ValueType:
        """Type of an output: the one its results agree on."""
        if table.hit == "count":
            return NUMBER
        written = [row.results[name] for row in table.rows if name in row.results]
        written += [table.otherwise[name]] if name in table.otherwise else []
        types = [each.type for each in written if each.type.kind is not Kind.NOTHING]
        kinds = {type_.kind for type_ in types}
        if len(kinds) > 1:
            self.reading.report("definition.table_types", self.at(("table", "outputs")), name=name)
        if table.hit == "collect":
            return CHOICES
        if table.hit in FIGURES and table.otherwise.get(name) is None and not types:
            return NUMBER
        first = types[0] if types else NOTHING
        return ValueType(first.kind, first.record)

    # consequences

    def consequence(self, then: Then, at: At) -> None:
        if then.when is not None:
            self.read(then.when, (*at, "when"), BOOLEAN)
        if then.reject is not None:
            self.title(then.reject.say, (*at, "reject", "say"))
        if then.warn is not None:
            self.title(then.warn.say, (*at, "warn", "say"))
        if then.set is not None:
            self.fields(then.set, self.written.when.form or "", (*at, "set"), self.scope, own=True)
        if then.task is not None:
            self.title(then.task.title, (*at, "task", "title"))
            self.people(then.task.to, (*at, "task", "to"))
        if then.message is not None:
            self.title(then.message.title, (*at, "message", "title"))
            self.title(then.message.body, (*at, "message", "body"))
            self.people(then.message.to, (*at, "message", "to"))
        if then.create is not None:
            self.create(then, (*at, "create"))
        if then.update is not None:
            self.update(then, (*at, "update"))
        if then.webhook is not None:
            for name, text in then.webhook.send.items():
                self.read(text, (*at, "webhook", "send", name))
        if then.plugin is not None:
            for name, text in then.plugin.params.items():
                self.read(text, (*at, "plugin", "params", name))

    def create(self, then: Then, at: At) -> None:
        create = then.create
        assert create is not None
        if not self.scopes.has_form(create.form):
            return
        self.fields(create.set, create.form, (*at, "set"), self.scope)
        scope = line_scope(self.scope, create.each) if create.each is not None else self.scope
        if scope is None:
            return
        if create.when is not None:
            self.read(create.when, (*at, "when"), BOOLEAN, scope)
        for table, written in create.lines.items():
            self.fields(written, create.form, (*at, "lines", table), scope, table)

    def update(self, then: Then, at: At) -> None:
        update, app = then.update, self.reading.loaded.app
        assert update is not None and app is not None
        self.title(update.reason, (*at, "reason"))
        if update.form is not None:
            if not self.scopes.has_form(update.form):
                return
            scope = other_scope(update.form, self.scope, self.scopes, self.written, app)
            if update.where is not None:
                self.read(update.where, (*at, "where"), BOOLEAN, scope)
            self.fields(update.set, update.form, (*at, "set"), scope)
            return
        form = record_of(self.written, app)
        if update.link is not None:
            found = self.scope.names.get(update.link, NOTHING)
            form = found.record if found.kind is Kind.LINK else ""
        if self.scopes.has_form(form):
            self.fields(update.set, form, (*at, "set"), self.scope)

    def fields(
        self, written: Mapping[str, str], form: str, at: At, scope: Scope, table: str = "", *, own: bool = False
    ) -> None:
        """Values for fields; ``own``: of the rule's record itself, where ``lines.price`` is set line by line."""
        for name, text in written.items():
            inner, dot, column = name.partition(".")
            here: Scope | None = line_scope(scope, inner) if own and dot else scope
            types = target_types(self.scopes, form, inner if own and dot else table)
            expected = types.get(column if own and dot else name)
            if here is None or expected is None:
                continue  # an unknown field; the checks say so
            if not own and expected.kind in REFERRED:
                self.reference(text, (*at, name), expected, here)
            else:
                self.read(text, (*at, name), expected, here)

    def reference(self, text: str, at: At, expected: ValueType, scope: Scope) -> None:
        """A record written by its id or, as people type it, by its code or name."""
        before = len(self.reading.problems)
        read = self.reading.expression(text, scope, self.at(at))
        if read is not None and read.type.kind is not Kind.TEXT:
            read = self.reading.expression(text, scope, self.at(at), expected)
        if read is not None and len(self.reading.problems) == before:
            self.expressions[at] = read

    def people(self, whom: Whom, at: At) -> None:
        for index, way in enumerate(listed(whom)):
            here: At = (*at, index) if isinstance(whom, tuple) else at
            if way.expression is not None:
                self.read(way.expression, (*here, "expression"), MEMBER)
            if way.resolver is not None:
                for name, text in way.resolver.params.items():
                    self.read(text, (*here, "resolver", "params", name))


def _conjuncts(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for each in node.values:
            yield from _conjuncts(each)
    else:
        yield node


def _joined(parts: list[ast.expr]) -> ast.expr:
    return parts[0] if len(parts) == 1 else ast.copy_location(ast.BoolOp(ast.And(), parts), parts[0])


def _part(whole: Checked, node: ast.expr, type_: ValueType = BOOLEAN) -> Checked:
    """A part of a checked expression by itself."""
    tops = _tops(node)
    paths = {path: found for path, found in whole.paths.items() if path[0] in tops}
    return Checked(node, type_, source(node), MappingProxyType(paths), whole.functions)


def _tops(node: ast.expr) -> frozenset[str]:
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _key(node: ast.expr, whole: Checked) -> LookupKey | None:
    """``column == what is known of the rule's record or line``, either way round."""
    if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq)):
        return None
    for one, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
        tops = _tops(other) - set(whole.functions)
        if isinstance(one, ast.Name) and one.id not in CONSTANT and tops <= CONSTANT and tops & {ROW, LINE}:
            return LookupKey(column=name_of(one) or "", value=_part(whole, other, whole.paths[(one.id,)]))
    return None
