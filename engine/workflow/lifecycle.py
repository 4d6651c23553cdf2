"""The life of a document in single steps: which action leads from which 单据状态 to which, whatever the form.

Source: domain rule B0.4. The table is the same for every document form; what differs (workflow, checks, optional
actions) is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.form import FormDef
from engine.document import DocStatus
from engine.labels import Label

D = DocStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One action.

    Attributes:
        before: statuses it starts from. after: status it leads to; None leaves it, and ``submit`` may lead further.
        optional: offered only when the form lists it.
        reason: a reason is always demanded.
    """

    label: Label
    before: frozenset[DocStatus]
    after: DocStatus | None
    optional: bool = False
    reason: bool = False


EDITABLE = frozenset({D.DRAFT, D.REJECTED})

DOCUMENT_ACTIONS: Mapping[str, Transition] = MappingProxyType(
    {
        "update": Transition(label=ACTION_LABELS["update"], before=EDITABLE, after=None),
        "submit": Transition(label=ACTION_LABELS["submit"], before=EDITABLE, after=D.PENDING),
        "withdraw": Transition(label=ACTION_LABELS["withdraw"], before=frozenset({D.PENDING}), after=D.DRAFT),
        "approve": Transition(label=ACTION_LABELS["approve"], before=frozenset({D.PENDING}), after=D.APPROVED),
        "reject": Transition(
            label=ACTION_LABELS["reject"], before=frozenset({D.PENDING}), after=D.REJECTED, reason=True
        ),
        "unapprove": Transition(
            label=ACTION_LABELS["unapprove"], before=frozenset({D.APPROVED}), after=D.DRAFT, optional=True
        ),
        "void": Transition(label=ACTION_LABELS["void"], before=EDITABLE, after=D.VOIDED, optional=True),
        "close": Transition(
            label=ACTION_LABELS["close"], before=frozenset({D.APPROVED}), after=D.CLOSED, optional=True, reason=True
        ),
        "reopen": Transition(
            label=ACTION_LABELS["reopen"], before=frozenset({D.CLOSED}), after=D.APPROVED, optional=True
        ),
        "delete": Transition(label=ACTION_LABELS["delete"], before=EDITABLE, after=None),
    }
)

MASTER_ACTIONS: Mapping[str, Transition] = MappingProxyType(
    {
        "update": Transition(label=ACTION_LABELS["update"], before=frozenset({D.ACTIVE, D.DISABLED}), after=None),
        "disable": Transition(label=ACTION_LABELS["disable"], before=frozenset({D.ACTIVE}), after=D.DISABLED),
        "enable": Transition(label=ACTION_LABELS["enable"], before=frozenset({D.DISABLED}), after=D.ACTIVE),
        "delete": Transition(label=ACTION_LABELS["delete"], before=frozenset({D.ACTIVE, D.DISABLED}), after=None),
    }
)

STATUS_LABELS: Mapping[DocStatus, Label] = MappingProxyType(
    {
        D.DRAFT: Label("草稿", "Draft"),
        D.PENDING: Label("审批中", "Pending"),
        D.APPROVED: Label("已审核", "Approved"),
        D.REJECTED: Label("已驳回", "Rejected"),
        D.CLOSED: Label("已关闭", "Closed"),
        D.VOIDED: Label("已作废", "Voided"),
        D.REVERSED: Label("已红冲", "Reversed"),
        D.ACTIVE: Label("启用", "Active"),
        D.DISABLED: Label("停用", "Disabled"),
    }
)


def transitions(form: FormDef) -> Mapping[str, Transition]:
    """The actions a form offers."""
    if form.kind == "master":
        return MASTER_ACTIONS
    return {key: one for key, one in DOCUMENT_ACTIONS.items() if not one.optional or key in form.actions}
