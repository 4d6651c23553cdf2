"""The task centre and the log as pages: a button that cannot be pressed says why, attached files are offered."""

from __future__ import annotations

import html
from pathlib import Path

from fastapi.testclient import TestClient

from runtime.app import create_app
from runtime.facade import files, flow_acts
from runtime.facade.flow_acts import Act
from tests.houses import PASSWORD, WORKSPACE
from tests.runtime.flow_house import expense_flow, firm
from tests.web.conftest import entrance

FLOW = expense_flow("""
  - approve: boss
    label: {zh: 老板审批, en: Boss}
    by: {role: boss}
    actions: [transfer]
""")


def test_buttons_and_files(tmp_path: Path) -> None:
    made = firm(tmp_path, None, FLOW)
    clerk, house = made.door("clerk"), made.home.house
    document = made.expense(clerk)
    kept = files.upload(clerk, "<发票>.pdf", "application/pdf", [b"%PDF"]).id
    flow_acts.act(clerk, "expense", document, "comment", Act(files=(kept,)))
    flow_acts.act(clerk, "expense", document, "urge", Act())
    app = f"/w/{WORKSPACE}/{clerk.bundle.app.app}"

    def page(login: str, path: str) -> str:
        with TestClient(create_app(house.settings, house), follow_redirects=False) as client:
            sent = entrance(client) | {"login": login, "password": PASSWORD}
            assert client.post(f"/w/{WORKSPACE}/login", data=sent).status_code == 303
            answer = client.get(f"{app}/{path}")
            assert answer.status_code == 200
            return html.unescape(answer.text)

    mine = page("clerk", "tasks?tab=mine")
    assert 'data-move="urge" aria-disabled="true" title="' in mine
    assert 'data-move="withdraw" hx-get=' in mine
    assert 'data-move="claim" aria-disabled="true" title="' in page("boss", "tasks")
    for path in (f"flows/expense/{document}", f"flows/expense/{document}/print"):
        log = page("boss", path)
        assert f"/flows/expense/{document}/files/{kept}" in log and "<发票>.pdf" in log
    assert "data-move-files" in page("clerk", f"flows/expense/{document}/comment")
