"""Cross-reference checks of workflows: whom they are about, their nodes and the fields those name."""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.file_kinds import WORKFLOWS
from engine.definitions.load import Loaded
from engine.definitions.process_checks import member_field
from engine.definitions.reading import Place
from engine.definitions.references import DOCUMENT, complaint, field_paths, unknown, unknown_form, unknown_role
from engine.definitions.workflow import Asking, WorkflowDef
from engine.definitions.workflow_tree import Placed, laid_out, nodes_in, walked
from engine.problems import Problem


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


def own_steps(workflow: WorkflowDef) -> tuple[Placed, ...]:
    """The steps written in the workflow's own file."""
    return laid_out(workflow, {})


def workflow_nodes_are_unique(loaded: Loaded) -> Iterator[Problem]:
    """No two nodes of a workflow share a key; a workflow has at least one."""
    for key, workflow in loaded.workflows.items():
        seen: set[str] = set()
        for _, node, at in nodes_in(own_steps(workflow)):
            if node.key in seen:
                kind = next(name for name in type(node).model_fields if getattr(node, name) == node.key)
                yield complaint(loaded, at / kind, "definition.listed_twice", name=node.key)
            seen.add(node.key)
        if not any(True for _ in nodes_in(laid_out(workflow, loaded.workflows))):
            place = Place(WORKFLOWS, key, ("steps",))
            yield complaint(loaded, place, "definition.workflow_without_nodes", key=True)


def approvers_can_be_found(loaded: Loaded) -> Iterator[Problem]:
    """A node has one kind of approver: a role that exists, a member field of the form, or the department head."""
    for workflow in loaded.workflows.values():
        for _, node, at in nodes_in(own_steps(workflow)):
            if not isinstance(node, Asking):
                continue
            for number, by in enumerate(node.persons):
                place = at / "by" / number if isinstance(node.by, tuple) else at / "by"
                if len(by.given()) != 1:
                    yield complaint(loaded, place, "definition.one_approver", key=True)
                yield from unknown_role(loaded, place / "role", by.role)
                if by.field is not None and "." not in by.field:
                    yield from member_field(loaded, place / "field", workflow.form, by.field)


def node_fields_exist(loaded: Loaded) -> Iterator[Problem]:
    """What a node allows is about fields of the form."""
    for workflow in loaded.workflows.values():
        form = loaded.forms.get(workflow.form)
        for _, node, at in nodes_in(own_steps(workflow)):
            for name in node.fields if form is not None and isinstance(node, Asking) else ():
                known = field_paths(form) if form else ()
                yield from unknown(loaded, at / "fields" / name, "definition.unknown_field", name, known, key=True)


def branches_can_be_walked(loaded: Loaded) -> Iterator[Problem]:
    """An arm without a condition catches everything, so it stands last."""
    for workflow in loaded.workflows.values():
        for _, each in walked(own_steps(workflow)):
            if each.kind not in ("branch", "inclusive", "parallel"):
                continue
            arms = getattr(each.step, each.kind)
            if not arms:
                yield complaint(loaded, each.place / each.kind, "definition.branch_without_arms", key=True)
            for number, arm in enumerate(arms):
                if each.kind == "branch" and arm.when is None and number < len(arms) - 1:
                    yield complaint(loaded, each.arm(number), "definition.arm_catches_all")
