"""Where a finding is: form, number and line as people know them. Looked up only when there is something to say."""

from __future__ import annotations

from engine.problems import Param, Problem, problem
from runtime.stages.steps import Unit
from runtime.storage import proofs


def at(unit: Unit, code: str, form: str, document: int, line: int = 0, **figures: Param) -> Problem:
    """A problem of a document: ``form`` and ``number`` for its sentence (an id where no such document is known), and
    the line as its address."""
    compiled = unit.bundle.forms.get(form)
    number, lines = proofs.names_of(unit.connection, unit.tables, form, [document]).get(document, ("", {}))
    where = f"lines.{lines.get(line, f'#{line}')}" if line else ""
    label = compiled.label if compiled is not None else form
    return problem(code, where, form=label, number=number or f"#{document}", **figures)
