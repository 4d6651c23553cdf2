"""Stage 2, authorize: row, field and action level, with reasons. There is no way around it and no switch to skip it.

A person who decides at an approval node acts by the node, not by a grant, and may write just the fields the node opens.
"""

from __future__ import annotations

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import CompiledWorkflow
from engine.document import DocStatus
from engine.environment import scene
from engine.permissions import FormAccess, admits, denied, plain_path, write_problems
from engine.problems import Problem, Refused, problem
from engine.workflow.lifecycle import STATUS_LABELS
from runtime.stages.steps import Authorized, Begun, Unit, Validated, load_linked

NODE_ACTIONS = ("approve", "reject")


def authorize(unit: Unit, validated: Validated) -> Authorized:
    """Run the stage.

    Raises:
        Refused: ``missing`` when the person may not even read the document, else ``forbidden`` with every reason.
    """
    begun, clean = validated.begun, validated.clean
    access = unit.access(begun.form)
    actor, clock = unit.around.actor, unit.around.clock
    if begun.old is not None and not may_read(unit, access, validated):
        raise Refused([problem("document.missing", form=begun.form.label)], "missing")
    problems: list[Problem] = []
    opened = node_fields(unit, begun)
    for action in begun.actions:
        if begun.run is not None and (action in NODE_ACTIONS or (action == "update" and opened)):
            continue
        refusal = denied(access, begun.form, action)
        problems.extend(refusal)
        rows = access.rows.get(action)
        if not refusal and rows is not None and not admits(rows, clean.document, clean.scene.header, actor, clock):
            problems.append(
                problem("permission.row_denied", action=ACTION_LABELS.get(action, action), form=begun.form.label)
            )
    typed = clean.typed - opened
    problems.extend(write_problems(access, begun.form, typed))
    if begun.run is not None and "update" in begun.actions and not opened:
        problems.append(problem("document.not_editable", status=STATUS_LABELS[DocStatus.PENDING]))
    elif begun.run is not None and "update" in begun.actions:
        problems.extend(
            problem("permission.field_denied", where, field=field.label)
            for where in sorted(typed)
            if (field := begun.form.field(plain_path(where))) is not None
        )
    if problems:
        raise Refused(problems, "forbidden")
    return Authorized(validated=validated, access=access)


def may_read(unit: Unit, access: FormAccess, validated: Validated) -> bool:
    """Whether the stored document is among the rows the actor reads, or is waiting for the actor's decision."""
    clean = validated.clean
    rows = access.rows.get("read")
    if rows is None or clean.old is None:
        return False
    if clean.old is clean.document:
        return admits(rows, clean.old, clean.scene.header, unit.around.actor, unit.around.clock)
    form = validated.begun.form
    before = scene(form, clean.old, load_linked(unit, form, (clean.old,), clean.linked), unit.around)
    return admits(rows, clean.old, before.header, unit.around.actor, unit.around.clock)


def node_fields(unit: Unit, begun: Begun) -> frozenset[str]:
    """Addresses the node the run waits at opens for writing, for the person deciding there."""
    if begun.run is None or not begun.run.node:
        return frozenset()
    workflow: CompiledWorkflow | None = unit.bundle_of(begun.run.snapshot).workflows.get(begun.form.key)
    if workflow is None or begun.run.node not in workflow.nodes:
        return frozenset()
    step = workflow.nodes[begun.run.node]
    writable = {path for path, word in step.fields.items() if word == "write"}
    return frozenset(
        where for where in _typed(begun) if plain_path(where) in writable or where.partition(".")[0] in writable
    )


def _typed(begun: Begun) -> frozenset[str]:
    patch = begun.command.patch
    if patch is None:
        return frozenset()
    rows = {
        f"{table}.{number}.{key}"
        for table, lines in patch.lines.items()
        for number, line in enumerate(lines, start=1)
        for key in line.values
    }
    return frozenset(patch.values) | rows
