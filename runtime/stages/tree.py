"""Forms that say what is made of what (bills of material) may not lead in a circle.

Checked when such a document is approved, against all that are approved then; two approvals at once follow one another.
"""

from __future__ import annotations

from engine.bom.levels import cycle_problems, cycles, reachable
from engine.problems import Refused
from runtime.stages.steps import Advanced, Unit
from runtime.storage import closings, documents
from runtime.storage.trees import arcs


def check_tree(unit: Unit, advanced: Advanced) -> None:
    """Refuse the approval of a document that closes a circle.

    Raises:
        Refused: ``invalid``, one problem for each circle, its records named in order.
    """
    form = advanced.written.authorized.validated.begun.form
    tree = form.definition.tree
    whole = advanced.document.values.get(tree.whole) if tree is not None else None
    if tree is None or advanced.posts != "approve" or not isinstance(whole, int):
        return
    closings.hold_alone(unit.connection)
    graph = {each: set(parts) for each, parts in arcs(unit.connection, unit.tables, form.key, tree).items()}
    for line in advanced.document.lines.get(tree.table, ()):
        part = line.values.get(tree.part)
        if isinstance(part, int):
            graph.setdefault(whole, set()).add(part)
    within = reachable({each: tuple(parts) for each, parts in graph.items()}, (whole,))
    found = cycles({each: tuple(sorted(graph.get(each, ()))) for each in within})
    if found:
        ids = sorted({each for cycle in found for each in cycle})
        target = getattr(form.fields[tree.whole].options, "to", "")
        names = documents.display_names(unit.connection, unit.tables, target, ids, unit.around.actor.language)
        raise Refused([each.at(f"{tree.table}") for each in cycle_problems(found, names)])
