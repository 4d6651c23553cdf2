"""What can be done to a run, as plain data. A move says who, when and what; whether it may be is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class MoveKind(StrEnum):
    """The moves. The first group is made by people at a seat, the second about a run, the third by the product."""

    AGREE = "agree"  # 同意, and 办理完成 at a filling node
    REJECT = "reject"  # 驳回
    RETURN = "return"  # 退回 to a passed node
    TRANSFER = "transfer"  # 转办: somebody else decides instead
    DELEGATE = "delegate"  # 委派: somebody else is asked first, then it comes back
    ADD_SIGN = "add_sign"  # 加签
    REMOVE_SIGN = "remove_sign"  # 减签
    CLAIM = "claim"  # 认领 from a role pool
    RELEASE = "release"  # 放回 to the pool

    START = "start"  # 提交; also again after a rejection
    WITHDRAW = "withdraw"  # 撤回 by the submitter
    TAKE_BACK = "take_back"  # 拿回 by whoever decided last
    TERMINATE = "terminate"  # 终止
    REACTIVATE = "reactivate"  # 重新激活 of an ended run
    URGE = "urge"  # 催办
    COMMENT = "comment"  # 评论
    REASSIGN = "reassign"  # an administrator names others for a seat or a stuck node
    MIGRATE = "migrate"  # to another published version

    TIMER = "timer"  # a deadline or a wait has come
    SIGNAL = "signal"  # an event a waiting node waits for
    CHILD = "child"  # a sub-flow's document has ended
    NAMED = "named"  # an external resolver has answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move.

    Attributes:
        by: the user; 0 for the product. at: when.
        seat: whose say is used. token: which place, for timers, signals and administrators.
        users: the people named (转办, 委派, 加签, 减签, 自选 …).
        node: the node meant (退回 to …; start of a migration).
        place: of 加签: ``before``, ``after`` or ``beside``.
        back: after a return, come straight back (直接回到我这里).
        comment: the remark. signature: id of the file with the signature by hand.
        files: ids of the files attached to it (附件), as a document's attachments have them.
        chosen: people picked for later nodes, by node key.
        timer: which deadline of the node, counted from 0; -1 for a wait. event: name of the signal.
        result: of a child: ``approved``, ``rejected`` … ; children: ids the sub-flow has made.
        admin: made with the right to administer runs.
        fields: names of the fields the person changed with this move.
    """

    kind: MoveKind
    by: int
    at: datetime
    seat: int = 0
    token: int = 0
    users: tuple[int, ...] = ()
    node: str = ""
    place: str = ""
    back: bool = False
    comment: str = ""
    signature: int | None = None
    files: tuple[str, ...] = ()
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    timer: int = -1
    event: str = ""
    result: str = ""
    children: tuple[int, ...] = ()
    admin: bool = False
    fields: tuple[str, ...] = ()
