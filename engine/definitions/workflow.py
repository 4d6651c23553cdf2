"""``workflows/<key>.yaml``: who approves what, in which order, under which condition. A tree people can read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from engine.definitions.shape import Definition, ExpressionText, Key
from engine.labels import Label

APPROVE, BRANCH = "<approve>", "<branch>"  # tags of the union; never keys an author may write


class Approvers(Definition):
    """Who approves: everybody holding a role, a member field of the document, or the head of the creator's department.

    Exactly one is given.
    """

    role: Key | None = None
    field: str | None = None
    department_head: bool = False


class ApproveStep(Definition):
    """One approval node.

    Attributes:
        approve: key of the node, unique in the workflow.
        mode: 或签 ``any`` (the first decides) or 会签 ``all`` (everybody must agree).
        fields: what the approver may do with fields at this node: ``write``, ``read`` or ``hidden``.
        empty: what happens when nobody holds the role: ``block`` the submit or ``skip`` the node.
    """

    approve: Key
    label: Label
    by: Approvers
    mode: Literal["any", "all"] = "any"
    fields: dict[str, Literal["write", "read", "hidden"]] = {}
    empty: Literal["block", "skip"] = "block"


class BranchArm(Definition):
    """One arm of a branch; the first arm whose condition holds is walked, ``when`` left out means otherwise."""

    when: ExpressionText | None = None
    label: Label | None = None
    steps: tuple[Step, ...] = ()


class BranchStep(Definition):
    """条件分支: evaluated when the run arrives there, on the document as it then is."""

    branch: tuple[BranchArm, ...]
    label: Label | None = None


def _step_kind(raw: object) -> str:
    return BRANCH if isinstance(raw, BranchStep) or (isinstance(raw, dict) and "branch" in raw) else APPROVE


Step = Annotated[Annotated[ApproveStep, Tag(APPROVE)] | Annotated[BranchStep, Tag(BRANCH)], Discriminator(_step_kind)]


class WorkflowDef(Definition):
    """The approval of one form; started by submit. A form has at most one workflow.

    Attributes:
        withdraw: until when the submitter may withdraw: before the ``first`` decision, ``any`` time, or ``never``.
    """

    workflow: Key
    label: Label
    form: Key
    steps: tuple[Step, ...]
    withdraw: Literal["first", "any", "never"] = "first"


BranchArm.model_rebuild()
WorkflowDef.model_rebuild()
