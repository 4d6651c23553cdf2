"""The fields every record has without anybody declaring them: their types and the words people type for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.definitions.form import DOCUMENT_SYSTEM_FIELDS, MASTER_SYSTEM_FIELDS, FormDef
from engine.document import DocStatus, ExecStatus
from engine.expressions.types import DATE, DATETIME, DEPARTMENT, MEMBER, NUMBER, TEXT, Kind, ValueType

MASTER_STATES = (DocStatus.ACTIVE, DocStatus.DISABLED)
MASTER_STATUS = ValueType(Kind.TEXT, choices=tuple(str(each) for each in MASTER_STATES))
SYSTEM_TYPES: Mapping[str, ValueType] = MappingProxyType(
    {
        "id": NUMBER,
        "number": TEXT,
        "doc_status": ValueType(Kind.TEXT, choices=tuple(str(each) for each in DocStatus if each not in MASTER_STATES)),
        "exec_status": ValueType(Kind.TEXT, choices=tuple(str(each) for each in ExecStatus)),
        "biz_date": DATE,
        "creator": MEMBER,
        "department": DEPARTMENT,
        "created_at": DATETIME,
        "modified_at": DATETIME,
        "approver": MEMBER,
        "approved_at": DATETIME,
        "origin": TEXT,
        "version": NUMBER,
    }
)
SYSTEM_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "单据编号": "number",
        "单据状态": "doc_status",
        "执行状态": "exec_status",
        "单据日期": "biz_date",
        "制单人": "creator",
        "部门": "department",
        "制单时间": "created_at",
        "修改时间": "modified_at",
        "审核人": "approver",
        "审核时间": "approved_at",
    }
)
# 结算状态: derived from what a money ledger holds of the document; lists show and filter by it, expressions do not.
SETTLE_STATUS = "settle_status"
LINE_NUMBER = "line_no"
LINE_NUMBER_LABEL = "行号"
RESERVED = frozenset({"me", "app"})  # top-level names a header field would hide


def system_fields(form: FormDef) -> Mapping[str, ValueType]:
    """Names and types of the system fields of ``form``."""
    if form.kind == "document":
        return {name: SYSTEM_TYPES[name] for name in DOCUMENT_SYSTEM_FIELDS}
    return {name: SYSTEM_TYPES[name] for name in MASTER_SYSTEM_FIELDS} | {"doc_status": MASTER_STATUS}
