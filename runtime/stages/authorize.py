"""Stage 2, authorize: row, field and action level, with reasons. There is no way around it and no switch to skip it.

A person who decides at an approval node acts by the node, not by a grant, and may write just the fields the node opens.
"""

from __future__ import annotations

from engine.definitions.action_labels import ACTION_LABELS
from engine.environment import scene
from engine.permissions import FormAccess, admits, denied, plain_path, write_problems
from engine.problems import Problem, Refused, problem
from engine.workflow.lifecycle import STATUS_LABELS
from runtime.stages.flow_begin import ALSO_BY_ADMINISTRATORS, FLOW, OF_THE_PRODUCT, PROPOSE, nodes_of_person, own_seat
from runtime.stages.steps import Authorized, Begun, Unit, Validated, load_linked

NODE_ACTIONS = ("approve", "reject", "flow")


def authorize(unit: Unit, validated: Validated) -> Authorized:
    """Run the stage.

    Raises:
        Refused: ``missing`` when the person may not even read the document, else ``forbidden`` with every reason.
    """
    begun, clean = validated.begun, validated.clean
    access = unit.access(begun.form)
    if begun.move is not None and begun.move.kind in OF_THE_PRODUCT:
        if unit.around.actor.user:
            raise Refused([problem("flow.of_the_product")], "forbidden")
        return Authorized(validated=validated, access=access)
    administers = begun.move is not None and begun.move.kind in ALSO_BY_ADMINISTRATORS and begun.move.admin
    if administers and "update" not in begun.actions:  # typing values is no part of it
        return Authorized(validated=validated, access=access)
    actor, clock = unit.around.actor, unit.around.clock
    if begun.old is not None and not may_read(unit, access, validated):
        raise Refused([problem("document.missing", form=begun.form.label)], "missing")
    problems: list[Problem] = []
    opened = node_fields(unit, begun)
    moves_a_run = begun.standing is not None and begun.standing.stored.finished_at is None
    for action in begun.actions:
        # Whether a move may be made is for the run to say; starting one beside the life cycle is a change.
        if moves_a_run and (action in NODE_ACTIONS or (action == "update" and opened)):
            continue
        asked = "update" if action in (FLOW, PROPOSE) else action
        if action == FLOW and (not begun.command.flow or not actor.user):
            continue
        refusal = denied(access, begun.form, asked)
        problems.extend(refusal)
        rows = access.rows.get(asked)
        if not refusal and rows is not None and not admits(rows, clean.document, clean.scene.header, actor, clock):
            problems.append(
                problem("permission.row_denied", action=ACTION_LABELS.get(asked, asked), form=begun.form.label)
            )
    typed = clean.typed - opened
    problems.extend(write_problems(access, typed))
    if moves_a_run and "update" in begun.actions and not opened:
        problems.append(problem("document.not_editable", status=STATUS_LABELS[clean.document.status]))
    elif moves_a_run and "update" in begun.actions:
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
    clean, standing, actor = validated.clean, validated.begun.standing, unit.around.actor
    rows = access.rows.get("read")
    if clean.old is None:
        return False
    if standing is not None and own_seat(standing.run, actor.user, actor.roles) is not None:
        return True
    if rows is None:
        return False
    if clean.old is clean.document:
        return admits(rows, clean.old, clean.scene.header, unit.around.actor, unit.around.clock)
    form = validated.begun.form
    before = scene(form, clean.old, load_linked(unit, form, (clean.old,), clean.linked), unit.around)
    return admits(rows, clean.old, before.header, unit.around.actor, unit.around.clock)


def node_fields(unit: Unit, begun: Begun) -> frozenset[str]:
    """Addresses the nodes at which the person is asked open for writing."""
    if begun.standing is None:
        return frozenset()
    actor = unit.around.actor
    seat = begun.move.seat if begun.move is not None else 0
    writable = {
        path
        for node in nodes_of_person(begun.standing, actor.user, actor.roles, seat)
        for path, word in node.fields.items()
        if word == "write"
    }
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
