"""``workflows/<key>.yaml``: who approves what, in which order, under which condition. A tree people can read.

A workflow is a list of steps; steps that branch hold arms, which hold steps. There are no arrows to draw, so nothing
can be left dangling: what is opened by a step is closed where the step ends. What every step means stands in
``docs/workflow.md``.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from engine.definitions.people import Who, Whom, listed
from engine.definitions.rule import Then
from engine.definitions.shape import Definition, ExpressionText, Key
from engine.labels import Label

Access: TypeAlias = Literal["write", "read", "hidden"]
StepAction: TypeAlias = Literal["return", "transfer", "delegate", "add_sign", "remove_sign", "take_back", "claim"]
STEP_ACTIONS: tuple[StepAction, ...] = (
    "return", "transfer", "delegate", "add_sign", "remove_sign", "take_back", "claim",
)  # fmt: skip


class Vote(Definition):
    """How votes are counted; exactly one of ``count``, ``percent`` and ``weight`` is given.

    Attributes:
        count: agreements needed. percent: agreements needed, of the votes there are (1 to 100).
        weight: sum of weights needed. weights: weight of the holders of a role; others weigh 1.
        veto: 一票否决: roles any holder of which decides alone when rejecting.
    """

    count: Annotated[int, Field(ge=1)] | None = None
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    weight: Annotated[int, Field(ge=1)] | None = None
    weights: dict[Key, Annotated[int, Field(ge=0, le=1000)]] = {}
    veto: tuple[Key, ...] = ()


class Deadline(Definition):
    """What happens when nobody acted in time; a node may have several, each fires once per arrival.

    Attributes:
        hours: after so many hours from the arrival, counted as ``clock`` says. until: a date or moment of the document
            instead; a date means the end of that day.
        clock: ``natural`` hours, or ``working`` hours of the app's calendar (``calendars/<key>.yaml``).
        every: repeat a ``remind`` after so many further hours.
        then: 提醒 / 升级 (also asks ``to``) / 自动同意 / 自动驳回 / 转办 to ``to``.
    """

    hours: Annotated[int, Field(ge=1, le=8760)] | None = None
    until: ExpressionText | None = None
    clock: Literal["natural", "working"] = "natural"
    every: Annotated[int, Field(ge=1, le=720)] | None = None
    then: Literal["remind", "escalate", "agree", "reject", "transfer"] = "remind"
    to: Who | None = None


class Asking(Definition):
    """What approving and filling nodes have in common.

    Attributes:
        by: whom it asks; several are asked together.
        fields: what they may do with fields at this node. required: fields that must be filled before they agree.
        empty: what happens when nobody is found: ``block`` the action with an error, ``skip`` the node, or ``admin``:
            the administrators are asked.
        own: when the submitter is among those asked: ``allow``, ``skip`` (their own agreement is taken for granted) or
            ``exclude`` (somebody else must; nobody approves his own document).
        deadlines: what happens when nobody acts.
        actions: what those asked may do beside deciding.
        comment: whether a decision needs a remark or a signature by hand.
    """

    label: Label
    by: Whom
    fields: dict[str, Access] = {}
    required: tuple[str, ...] = ()
    empty: Literal["block", "skip", "admin"] = "block"
    own: Literal["allow", "skip", "exclude"] = "allow"
    deadlines: tuple[Deadline, ...] = ()
    actions: tuple[StepAction, ...] = STEP_ACTIONS
    comment: Literal["optional", "required", "signature"] = "optional"

    @property
    def persons(self) -> tuple[Who, ...]:
        """Those asked, as a list."""
        return listed(self.by)


class ApproveStep(Asking):
    """审批: one approval node.

    Attributes:
        approve: key of the node, unique in the workflow.
        mode: 或签 ``any`` (the first decides), 会签 ``all`` (everybody must agree), 依次 ``sequence`` (one after the
            other, all must agree) or ``vote``. One person left over decides alone, whatever the mode.
        vote: how votes are counted, with mode ``vote``.
        reject: what rejecting means: ``initiator`` (the document goes back, 驳回), ``previous`` node, or ``end`` (the
            run ends rejected and cannot be submitted again without being reactivated).
        returns: nodes a person may send the document back to beside rejecting: any ``passed`` one, or these.
        after_return: whether the nodes in between are walked ``again``, it comes straight ``back``, or the person may
            ``choose``.
    """

    approve: Key
    mode: Literal["any", "all", "sequence", "vote"] = "any"
    vote: Vote | None = None
    reject: Literal["initiator", "previous", "end"] = "initiator"
    returns: Literal["passed"] | tuple[Key, ...] = "passed"
    after_return: Literal["again", "back", "choose"] = "choose"

    @property
    def key(self) -> str:
        """Key of the node."""
        return self.approve


class FillStep(Asking):
    """办理: somebody completes the document (fields, files) without deciding; ``mode`` as for approving."""

    fill: Key
    mode: Literal["any", "all", "sequence"] = "any"

    @property
    def key(self) -> str:
        """Key of the node."""
        return self.fill


class NotifyStep(Definition):
    """抄送: tells people and goes on at once; they find the document under 抄送我的."""

    notify: Key
    label: Label
    to: Whom

    @property
    def key(self) -> str:
        """Key of the node."""
        return self.notify

    @property
    def persons(self) -> tuple[Who, ...]:
        """Those told, as a list."""
        return listed(self.to)


class Arm(Definition):
    """One arm of a branching step. ``when`` left out means otherwise (exclusive) or always (inclusive)."""

    when: ExpressionText | None = None
    label: Label | None = None
    steps: tuple[Step, ...] = ()


class BranchStep(Definition):
    """条件分支 (exclusive): the first arm whose condition holds is walked, on the document as it then is; else none."""

    branch: tuple[Arm, ...]
    label: Label | None = None


class InclusiveStep(Definition):
    """包容分支: every arm whose condition holds is walked at the same time; goes on when all of those have ended."""

    inclusive: tuple[Arm, ...]
    label: Label | None = None


class ParallelStep(Definition):
    """并行分支: all arms at the same time. ``join``: goes on when ``all``, ``any`` or so many arms have ended.

    What is still open in other arms when it goes on is closed.
    """

    parallel: tuple[Arm, ...]
    join: Literal["all", "any"] | Annotated[int, Field(ge=1)] = "all"
    label: Label | None = None


class WaitStep(Definition):
    """等待: until some hours have passed, a date or moment of the document has come, or an event is signalled.

    ``event`` may be combined with ``hours`` or ``until``, which then limit the waiting.
    """

    wait: Key
    label: Label
    hours: Annotated[int, Field(ge=1, le=8760)] | None = None
    clock: Literal["natural", "working"] = "natural"
    until: ExpressionText | None = None
    event: Key | None = None

    @property
    def key(self) -> str:
        """Key of the node."""
        return self.wait


class SubflowStep(Definition):
    """子流程: makes documents of another form, submits them, and waits for the end of their approval.

    Attributes:
        each: line table; one child per line, whose names ``map`` then sees. Left out: one child.
        when: only lines for which it holds. map: fields of the child, by expressions over this document.
        wait: for ``all`` children, ``any`` of them, or ``none``.
        back: fields of this document, by expressions over ``child`` (the last one to end) written when the step ends.
        rejected: what a rejected child means: ``reject`` this run as well, or ``continue``.
    """

    subflow: Key
    label: Label
    form: Key
    each: str | None = None
    when: ExpressionText | None = None
    map: dict[str, ExpressionText] = {}
    wait: Literal["all", "any", "none"] = "all"
    back: dict[str, ExpressionText] = {}
    rejected: Literal["reject", "continue"] = "reject"

    @property
    def key(self) -> str:
        """Key of the node."""
        return self.subflow


class CallStep(Definition):
    """引用流程: the steps of another workflow of the same form stand here; its node keys are prefixed with ``call``."""

    call: Key
    workflow: Key


class ActionStep(Definition):
    """动作: consequences as a rule has them, without anybody being asked; goes on at once."""

    action: Key
    label: Label
    then: tuple[Then, ...]

    @property
    def key(self) -> str:
        """Key of the node."""
        return self.action


class EndStep(Definition):
    """结束: the whole run ends here with this result, whatever else is open."""

    end: Literal["approved", "rejected"]
    label: Label | None = None


STEP_KINDS = (
    "approve", "fill", "notify", "branch", "inclusive", "parallel", "subflow", "wait", "call", "action", "end",
)  # fmt: skip


def step_kind(raw: object) -> str:
    """The kind of a step: the first key that names one; ``approve`` where none does, so that the error is readable.

    ``subflow`` is looked for before ``wait``, which is a key of sub-flows as well.
    """
    named = raw if isinstance(raw, dict) else type(raw).model_fields if isinstance(raw, Definition) else {}
    return next((kind for kind in STEP_KINDS if kind in named), "approve")


# Tags are written in angle brackets so that they cannot be taken for keys of an author in the path of an error.
Step = Annotated[
    Annotated[ApproveStep, Tag("<approve>")]
    | Annotated[FillStep, Tag("<fill>")]
    | Annotated[NotifyStep, Tag("<notify>")]
    | Annotated[BranchStep, Tag("<branch>")]
    | Annotated[InclusiveStep, Tag("<inclusive>")]
    | Annotated[ParallelStep, Tag("<parallel>")]
    | Annotated[WaitStep, Tag("<wait>")]
    | Annotated[SubflowStep, Tag("<subflow>")]
    | Annotated[CallStep, Tag("<call>")]
    | Annotated[ActionStep, Tag("<action>")]
    | Annotated[EndStep, Tag("<end>")],
    Discriminator(lambda raw: f"<{step_kind(raw)}>"),
]
Keyed: TypeAlias = ApproveStep | FillStep | NotifyStep | WaitStep | SubflowStep | ActionStep
Branching: TypeAlias = BranchStep | InclusiveStep | ParallelStep


def arms_of(step: object) -> tuple[Arm, ...]:
    """The arms of a branching step; none for any other."""
    if isinstance(step, BranchStep):
        return step.branch
    if isinstance(step, InclusiveStep):
        return step.inclusive
    return step.parallel if isinstance(step, ParallelStep) else ()


class WorkflowDef(Definition):
    """The approval of one form. A form has at most one workflow that ``submit`` starts; others are called or started.

    Attributes:
        start: what starts it: ``submit`` of a document; a ``change`` of an approved document or of a record, which
            takes effect only when agreed (先批后改); or ``called`` by a step, a rule or a person only.
        withdraw: until when the submitter may withdraw: before the ``first`` decision, ``any`` time, or ``never``.
        dedupe: whether a person who agreed before is asked again: ``never`` deduplicated, at ``adjacent`` nodes, or
            ``always`` (anywhere before in the same round). Their earlier agreement then counts.
        tests: rows the workflow carries, see ``engine.definitions.workflow_tests``.
    """

    workflow: Key
    label: Label
    form: Key
    steps: tuple[Step, ...]
    start: Literal["submit", "change", "called"] = "submit"
    withdraw: Literal["first", "any", "never"] = "first"
    dedupe: Literal["never", "adjacent", "always"] = "never"
    tests: tuple[WorkflowTest, ...] = ()


class WorkflowTest(Definition):
    """A case the workflow carries: names and their values in; the nodes that ask, in order, out.

    Everybody asked agrees; ``given`` names what conditions read, as in the tests of a rule. ``walks``: keys of the
    approving and filling nodes that are reached, each arm of a parallel step from left to right.
    """

    given: dict[str, object] = {}
    walks: tuple[Key, ...]


Arm.model_rebuild()
WorkflowDef.model_rebuild()
