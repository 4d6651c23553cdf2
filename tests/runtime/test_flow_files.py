"""Files attached to decisions, on both databases: kept in the log, had by whoever reads the document, never swept."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Refused
from engine.workflow.move import MoveKind
from runtime.facade import files, flow_acts, flow_inbox, flow_moves, flow_view
from runtime.facade.door import Door
from runtime.facade.flow_acts import Act
from runtime.facade.tidying import tidy_files
from runtime.verification import verify
from tests.houses import WORKSPACE, codes
from tests.runtime.flow_house import Firm, company, firm

FLOW = """
workflow: expense_approval
label: {zh: 报销审批, en: Expense approval}
form: expense
steps:
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
  - approve: finance
    label: {zh: 财务审批, en: Finance}
    by: {role: finance}
"""
GUEST = "role: guest\nlabel: 访客\ngrants:\n  - forms: [supplier]\n    actions: [read]\n"


@pytest.fixture
def made(tmp_path: Path, house_url: str | None) -> Firm:
    house = firm(tmp_path, house_url)
    house.publish(company(FLOW, changes={"roles/guest.yaml": GUEST}))
    return house


def upload(door: Door, name: str = "合同.pdf") -> str:
    return files.upload(door, name, "application/pdf", [name.encode()]).id


def attach(door: Door, document: int, kind: MoveKind, *named: str, comment: str = "") -> None:
    flow_acts.act(door, "expense", document, kind, Act(files=named, comment=comment))


def test_files_stand_in_the_log_for_whoever_reads_the_document(made: Firm) -> None:
    clerk, boss, guest = made.door("clerk"), made.door("boss"), made.door("guest")
    document = made.expense(clerk)
    said, agreed, unused = upload(clerk, "发票.jpg"), upload(boss), upload(boss, "草稿.doc")
    attach(clerk, document, MoveKind.COMMENT, said)
    (task,) = flow_inbox.page(boss, "open", flow_inbox.Wanted()).rows
    flow_moves.decide(boss, task, Act(comment="见附件", files=(agreed,)), agree=True)
    log = flow_view.flow_view(made.door("legal"), "expense", document).log
    assert [(line.kind, [one.name for one in line.files]) for line in log if line.files] == [
        ("comment", ["发票.jpg"]), ("approve", ["合同.pdf"]),
    ]  # fmt: skip
    assert log[2].remark == "见附件" and log[2].files[0].size == len("合同.pdf".encode())
    assert files.attached(made.door("legal"), "expense", document, agreed).path.read_bytes() == "合同.pdf".encode()
    other = made.expense(clerk)
    for door, at, file in ((guest, document, agreed), (boss, document, unused), (boss, other, agreed)):
        with pytest.raises(Refused) as refused:
            files.attached(door, "expense", at, file)
        assert refused.value.kind == "missing"
    with pytest.raises(Refused):
        files.download(clerk, agreed)


def test_only_ones_own_files_are_attached(made: Firm) -> None:
    clerk, boss = made.door("clerk"), made.door("boss")
    document, foreign = made.expense(clerk), upload(clerk)
    for named in ((foreign,), ("0" * 32,), ("../../etc/passwd",)):
        with pytest.raises(Refused) as refused:
            attach(boss, document, MoveKind.AGREE, *named)
        assert codes(refused.value) == ["flow.not_your_file"]
    with pytest.raises(Refused) as refused:
        attach(boss, document, MoveKind.CLAIM, upload(boss))
    assert codes(refused.value) == ["workflow.no_files_here"]
    assert made.at(document) == ["boss"] and made.words(document) == ["submit"]


def test_a_file_that_was_attached_is_never_swept(made: Firm) -> None:
    boss = made.door("boss")
    document = made.expense(made.door("clerk"))
    kept, left = upload(boss), upload(boss)
    attach(boss, document, MoveKind.REJECT, kept, comment="不符")
    made.home.clock.wait(days=8)
    assert tidy_files(boss, made.home.clock()) == 1
    assert files.attached(boss, "expense", document, kept).name == "合同.pdf"
    with pytest.raises(Refused):
        files.download(boss, left)
    assert verify(made.home.house, WORKSPACE).differences == ()
    files.attached(boss, "expense", document, kept).path.unlink()
    assert [one.code for one in verify(made.home.house, WORKSPACE).differences] == ["verify.file_gone"]
