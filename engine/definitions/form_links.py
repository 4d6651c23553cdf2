"""Which links an app follows from each form, so that everything an expression needs is loaded in one query per form.

Walks the paths of every checked expression from the form it stands on. A push-down reads its source form through
``source`` and ``line``; those paths count for the source form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from engine.definitions.compile_workflow import CHILD
from engine.definitions.compiled import (
    ALWAYS_WANTED,
    CompiledField,
    CompiledForm,
    CompiledPosting,
    CompiledRole,
    CompiledSource,
    CompiledWorkflow,
    Trail,
)
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.placeholders import holes
from engine.definitions.scopes import Scopes, table_record
from engine.definitions.workflow import ActionStep, SubflowStep
from engine.expressions import Checked, Kind
from engine.expressions.number_functions import UNITS
from engine.fieldtypes.price import unit_of

FOLLOWED = (Kind.LINK, Kind.MEMBER)
Links = Mapping[tuple[str, ...], frozenset[str]]


@dataclass(slots=True)
class LinkBook:
    """Links found so far, by form."""

    scopes: Scopes
    found: dict[str, dict[tuple[str, ...], set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def links(self, form: str) -> Links:
        """What was found for ``form``."""
        return MappingProxyType({path: frozenset(fields) for path, fields in self.found[form].items()})

    def read(self, form: str, checked: Checked | bool | None, table: str = "") -> None:
        """Note what ``checked`` follows, standing on a record of ``form`` or on a line of its ``table``."""
        if isinstance(checked, Checked):
            for path in checked.names:
                self.follow(form, path, table)

    def pushed(self, source: str, checked: Checked | None, table: str) -> None:
        """Note what an expression of a push-down reads of the source form."""
        for path in checked.names if checked is not None else ():
            if path[0] == "source":
                self.follow(source, path[1:], "")
            elif path[0] == "line":
                self.follow(source, path[1:], table, only_line=True)

    def follow(self, form: str, path: tuple[str, ...], table: str, *, only_line: bool = False) -> None:
        """Note every link on ``path``."""
        record = form
        prefix: tuple[str, ...] = ()
        line = self.scopes.records.get(table_record(form, table), {}) if table else {}
        if path and (only_line or path[0] in line):
            record, prefix = table_record(form, table), (table,)
        for step, following in pairwise(path):
            found = self.scopes.records.get(record, {}).get(step)
            if found is None or found.kind not in (*FOLLOWED, Kind.LINES):
                return
            prefix = (*prefix, step)
            if found.kind in FOLLOWED:
                self.found[form][prefix].add(following)
            record = found.record


def trails(form: CompiledForm, links: Links, forms: Mapping[str, CompiledForm]) -> Mapping[str, tuple[Trail, ...]]:
    """``links`` of ``form`` laid out from where they start: the header (``""``) and every line table."""
    header = _trails(form.fields, (), links, forms)
    lines = {key: _trails(table.fields, (key,), links, forms) for key, table in form.tables.items()}
    return MappingProxyType({"": header, **lines})


def _trails(
    fields: Mapping[str, CompiledField], prefix: tuple[str, ...], links: Links, forms: Mapping[str, CompiledForm]
) -> tuple[Trail, ...]:
    found: list[Trail] = []
    for key, each in fields.items():
        if not each.linked:
            continue
        path = (*prefix, key)
        read, target = links.get(path, frozenset()), forms.get(each.linked)
        onward = _trails(target.fields, path, links, forms) if read and target is not None else ()
        followed = tuple(trail for trail in onward if (*path, trail.key) in links)
        wanted = read | ALWAYS_WANTED
        found.append(Trail(key=key, form=each.linked, wanted=wanted, onward=onward, followed=followed))
    return tuple(found)


def book_form(book: LinkBook, form: CompiledForm) -> None:
    """Note the links of a form's own expressions, of what its links fill, and of its display texts."""
    for each in form.all_fields():
        for checked in (each.required, each.visible, each.secret, each.readonly, each.default, each.formula):
            book.read(form.key, checked, each.table)
        row = form.tables[each.table].fields if each.table else form.fields
        for filled, wanted in each.fills.items():
            for path in wanted:
                book.follow(form.key, (each.key, *path.split(".")), each.table)
            if filled in row and unit_of(row[filled].options):
                book.follow(form.key, (each.key, UNITS), each.table)
    for check in form.checks:
        book.read(form.key, check.condition, check.table)
    for table in form.tables.values():
        for checked in (table.field.required, table.field.visible, table.field.readonly):
            book.read(form.key, checked)
    for hole in holes(form.definition.display):
        book.follow(form.key, tuple(hole.text.split(".")), "")
    for name in form.definition.title:
        book.follow(form.key, (name,), "")
    for source in form.sources:
        _book_source(book, source)
    for fetch in form.fetches:
        book.read(form.key, fetch.when)
        for read in fetch.where.names if fetch.where is not None else ():
            if read[0] == "row":
                book.follow(form.key, read[1:], "")


def _book_source(book: LinkBook, source: CompiledSource) -> None:
    lines = source.definition.lines
    table = lines.from_ if lines else ""
    upstream = source.definition.from_
    for checked in (source.when, *source.header.values()):
        book.pushed(upstream, checked, "")
    for checked in (*source.line_map.values(), source.ordered, source.tolerance, source.line_when):
        book.pushed(upstream, checked, table)
    book.read(source.target, source.quantity, lines.table if lines else "")


def book_processes(
    book: LinkBook,
    workflows: Iterable[CompiledWorkflow],
    postings: Iterable[CompiledPosting],
    rules: Iterable[CompiledRule],
    roles: Iterable[CompiledRole],
) -> None:
    """Note what workflows, postings, form rules and row filters follow from the forms they are about."""
    for workflow in workflows:
        _book_workflow(book, workflow)
    for posting in postings:
        for entries in posting.entries.values():
            for entry in entries:
                for found in entry.expressions():
                    book.read(posting.definition.form, found, entry.definition.each)
    for rule in rules:
        for path, table in rule.follows() if rule.definition.when.form else ():
            book.follow(rule.definition.when.form or "", path, table)
    for role in roles:
        for grant in role.grants:
            for form, checked in grant.rows.items():
                book.read(form, checked)


def _book_workflow(book: LinkBook, workflow: CompiledWorkflow) -> None:
    form = workflow.definition.form
    for checked in workflow.conditions.values():
        book.read(form, checked)
    for rule in workflow.actions.values():
        for path, table in rule.follows():
            book.follow(form, path, table)
    for (key, name), checked in workflow.expressions.items():
        node = workflow.nodes[key]
        if isinstance(node, ActionStep):
            continue
        if not isinstance(node, SubflowStep):
            book.read(form, checked)
        elif not name.startswith("back."):
            book.read(form, checked, node.each or "")
        else:
            for path in checked.names:
                if path[0] == CHILD:
                    book.follow(node.form, path[1:], "")
                else:
                    book.follow(form, path, "")
