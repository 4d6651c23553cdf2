"""What the actions of the life cycle are called, for buttons, refusals and role pages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.labels import Label

ACTION_LABELS: Mapping[str, Label] = MappingProxyType(
    {
        "read": Label("查看", "Read"),
        "create": Label("新建", "Create"),
        "update": Label("保存", "Save"),
        "delete": Label("删除", "Delete"),
        "submit": Label("提交", "Submit"),
        "withdraw": Label("撤回", "Withdraw"),
        "approve": Label("审核", "Approve"),
        "reject": Label("驳回", "Reject"),
        "unapprove": Label("反审核", "Un-approve"),
        "void": Label("作废", "Void"),
        "close": Label("关闭", "Close"),
        "reopen": Label("反关闭", "Reopen"),
        "red_flush": Label("红冲", "Red flush"),
        "disable": Label("停用", "Disable"),
        "enable": Label("启用", "Enable"),
        "print": Label("打印", "Print"),
        "export": Label("导出", "Export"),
        "import": Label("导入", "Import"),
        "administer": Label("管理流程", "Administer workflows"),
    }
)
