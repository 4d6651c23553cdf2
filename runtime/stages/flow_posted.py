"""What of an approved document may still be changed (先批后改): nothing ledgers and follow-ups have read."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.compiled import AppBundle, CompiledForm
from engine.expressions import Checked
from engine.problems import Problem, problem


def posted_paths(bundle: AppBundle, form: CompiledForm) -> frozenset[str]:
    """Field paths, and line tables as a whole, that postings of the form or push-downs from it read."""
    found: set[str] = {"biz_date"}
    for posting in bundle.postings.get(form.key, ()):
        for entries in posting.entries.values():
            for entry in entries:
                table = entry.definition.each or ""
                found |= {table} - {""}
                for checked in entry.expressions():
                    found |= set(_paths(form, table, checked))
    for source in bundle.targets.get(form.key, ()):
        table = source.definition.lines.from_ if source.definition.lines is not None else ""
        found |= {table} - {""}
        for each in (source.ordered, source.tolerance, source.line_when):
            if each is not None:
                found |= {f"{table}.{path[1]}" for path in each.names if path[0] == "line" and len(path) > 1}
    return frozenset(found)


def posted_problems(bundle: AppBundle, form: CompiledForm, changed: frozenset[str]) -> tuple[Problem, ...]:
    """Why these changes cannot be made to an approved document; it has to be un-approved first."""
    read = posted_paths(bundle, form)
    problems = []
    for path in sorted(changed & read):
        field = form.field(path)
        label = field.label if field is not None else form.tables[path].label if path in form.tables else form.label
        problems.append(problem("flow.posted_field", path, field=label))
    return tuple(problems)


def _paths(form: CompiledForm, table: str, checked: Checked) -> Iterator[str]:
    for path in checked.names:
        if table and path[0] in form.tables[table].fields:
            yield f"{table}.{path[0]}"
        elif path[0] in form.tables:
            yield path[0]
            yield from (f"{path[0]}.{name}" for name in path[1:2])
        else:
            yield path[0]
