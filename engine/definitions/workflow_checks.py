"""Cross-reference checks of workflows: whom they are about, what they call, their nodes and the fields those name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.definitions.file_kinds import WORKFLOWS
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import (
    DOCUMENT,
    complaint,
    field_paths,
    header_names,
    tables_of,
    unknown,
    unknown_form,
)
from engine.definitions.workflow import (
    ApproveStep,
    Asking,
    CallStep,
    FillStep,
    Keyed,
    Step,
    SubflowStep,
    WorkflowDef,
    arms_of,
    step_kind,
)
from engine.definitions.workflow_tree import Path, laid_out, nodes_in
from engine.problems import Problem

ASKS = (ApproveStep, FillStep)


def workflows_belong_to_one_document(loaded: Loaded) -> Iterator[Problem]:
    """A workflow approves a document, and no document has two that start by themselves."""
    owners: dict[tuple[str, str], str] = {}
    for key, workflow in loaded.workflows.items():
        place = Place(WORKFLOWS, key, ("form",))
        yield from unknown_form(loaded, place, workflow.form, DOCUMENT if workflow.start == "submit" else "")
        if workflow.start == "called":
            continue
        first = owners.setdefault((workflow.form, workflow.start), key)
        if first != key:
            yield complaint(loaded, place, "definition.second_workflow", name=workflow.form, other=first)


def own_nodes(workflow: WorkflowDef) -> Iterator[tuple[Path, Keyed, Place]]:
    """Nodes written in the workflow's own file."""
    return nodes_in(laid_out(workflow, {}))


def steps_with_places(steps: tuple[Step, ...], place: Place) -> Iterator[tuple[Step, Place]]:
    """Every step as written, calls included."""
    for index, step in enumerate(steps):
        yield step, place / index
        for number, arm in enumerate(arms_of(step)):
            yield from steps_with_places(arm.steps, place / index / step_kind(step) / number / "steps")


def calls_of(workflow: WorkflowDef) -> Iterator[tuple[CallStep, Place]]:
    """Every call written in the workflow."""
    for step, place in steps_with_places(workflow.steps, Place(WORKFLOWS, workflow.workflow, ("steps",))):
        if isinstance(step, CallStep):
            yield step, place


def workflow_nodes_are_unique(loaded: Loaded) -> Iterator[Problem]:
    """No two nodes or calls of a workflow share a key; a workflow has at least one node."""
    for key, workflow in loaded.workflows.items():
        seen: set[str] = set()
        keyed = [(node.key, at / step_kind(node)) for _, node, at in own_nodes(workflow)]
        keyed += [(call.call, at / "call") for call, at in calls_of(workflow)]
        for name, at in keyed:
            if name in seen:
                yield complaint(loaded, at, "definition.listed_twice", name=name)
            seen.add(name)
        if not any(True for _ in nodes_in(laid_out(workflow, loaded.workflows))):
            place = Place(WORKFLOWS, key, ("steps",))
            yield complaint(loaded, place, "definition.workflow_without_nodes", key=True)


def calls_lead_somewhere(loaded: Loaded) -> Iterator[Problem]:
    """A called workflow exists, is about the same form, and does not lead back to the one that calls it."""
    for key, workflow in loaded.workflows.items():
        for call, at in calls_of(workflow):
            place = at / "workflow"
            called = loaded.workflows.get(call.workflow)
            if called is None:
                yield from unknown(loaded, place, "definition.unknown_workflow", call.workflow, loaded.workflows)
            elif called.form != workflow.form:
                yield complaint(loaded, place, "definition.call_other_form", name=call.workflow, form=called.form)
            elif way := _way(call.workflow, key, _called(loaded), ()):
                yield complaint(loaded, place, "definition.call_cycle", way=" → ".join((key, *way)))


def subflows_end(loaded: Loaded) -> Iterator[Problem]:
    """The documents a sub-flow makes do not, by their own workflows, make documents of the first form again."""
    started = {each.form: key for key, each in loaded.workflows.items() if each.start == "submit"}
    made = {
        workflow.form: tuple(
            node.form for _, node, _ in nodes_in(laid_out(workflow, loaded.workflows)) if isinstance(node, SubflowStep)
        )
        for workflow in (loaded.workflows[key] for key in started.values())
    }
    for key in started.values():
        workflow = loaded.workflows[key]
        for _, node, at in own_nodes(workflow):
            if isinstance(node, SubflowStep) and (way := _way(node.form, workflow.form, made, ())):
                place = at / "form"
                yield complaint(loaded, place, "definition.subflow_cycle", way=" → ".join((workflow.form, *way)))


def _called(loaded: Loaded) -> Mapping[str, tuple[str, ...]]:
    return {key: tuple(call.workflow for call, _ in calls_of(each)) for key, each in loaded.workflows.items()}


def _way(start: str, end: str, follows: Mapping[str, tuple[str, ...]], passed: tuple[str, ...]) -> tuple[str, ...]:
    """The names from ``start`` to ``end``; empty when there is no way."""
    if start == end:
        return (start,)
    if start in passed:
        return ()
    found = (_way(each, end, follows, (*passed, start)) for each in follows.get(start, ()))
    return next(((start, *rest) for rest in found if rest), ())


def node_fields_exist(loaded: Loaded) -> Iterator[Problem]:
    """What a node allows or demands is about fields of the form, and what it demands can be filled there."""
    for workflow in loaded.workflows.values():
        form = loaded.forms.get(workflow.form)
        for _, node, at in own_nodes(workflow) if form is not None else ():
            if form is None or not isinstance(node, Asking):
                continue
            known = field_paths(form)
            for name in node.fields:
                yield from unknown(loaded, at / "fields" / name, "definition.unknown_field", name, known, key=True)
            for index, name in enumerate(node.required):
                place = at / "required" / index
                yield from unknown(loaded, place, "definition.unknown_field", name, known)
                if node.fields.get(name) in ("read", "hidden"):
                    yield complaint(loaded, place, "definition.required_not_writable", name=name)


def returns_name_nodes(loaded: Loaded) -> Iterator[Problem]:
    """A document can only be sent back to nodes that ask somebody."""
    for workflow in loaded.workflows.values():
        asks = [node.key for _, node, _ in own_nodes(workflow) if isinstance(node, ASKS)]
        for _, node, at in own_nodes(workflow):
            if isinstance(node, ApproveStep) and isinstance(node.returns, tuple):
                others = [key for key in asks if key != node.key]
                for index, name in enumerate(node.returns):
                    yield from unknown(loaded, at / "returns" / index, "definition.unknown_node", name, others)


def subflows_fit_both_forms(loaded: Loaded) -> Iterator[Problem]:
    """A sub-flow makes documents, from lines there are, filling fields there are."""
    for workflow in loaded.workflows.values():
        own = loaded.forms.get(workflow.form)
        for _, node, at in own_nodes(workflow):
            if not isinstance(node, SubflowStep):
                continue
            yield from unknown_form(loaded, at / "form", node.form, DOCUMENT)
            child = loaded.forms.get(node.form)
            if node.each is not None and own is not None:
                yield from unknown(loaded, at / "each", "definition.unknown_table", node.each, tables_of(own))
            for name in node.map if child is not None else ():
                known = header_names(child) if child is not None else ()
                yield from unknown(loaded, at / "map" / name, "definition.unknown_field", name, known, key=True)
            for name in node.back if own is not None else ():
                known = header_names(own) if own is not None else ()
                yield from unknown(loaded, at / "back" / name, "definition.unknown_field", name, known, key=True)
            if node.back and node.wait == "none":
                yield complaint(loaded, at / "back", "definition.back_without_wait", key=True)
