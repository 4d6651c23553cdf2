"""Uploading: a sheet becomes records through its pages, an attachment is handed out sandboxed."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from runtime.house import House
from runtime.jobs.inline import InlineJobs
from tests.web.conftest import ROOT, SignIn, csrf_of

CSV = "仓库编码,仓库名称\nW8,北仓\nW9,\n".encode()


def test_a_sheet_is_looked_at_tried_and_imported(sign_in: SignIn, house: House) -> None:
    client = sign_in("keeper")
    token = csrf_of(client)
    forms = client.get(f"{ROOT}/import").text
    assert '<option value="stock_in"' in forms and '<option value="warehouse"' not in forms  # no right to
    refused = client.post(f"{ROOT}/import", data={"csrf": token, "form": "warehouse"}, files={"file": ("w.csv", CSV)})
    assert refused.status_code == 403
    rows = "商品,数量,单价,仓库\nA001,5,2,主仓\nA404,1,1,主仓\n".encode()
    made = client.post(f"{ROOT}/import", data={"csrf": token, "form": "stock_in"}, files={"file": ("in.csv", rows)})
    assert made.status_code == 303, made.text
    draft = client.get(made.headers["location"])
    assert draft.status_code == 200
    assert "A404" in draft.text
    chosen = dict(re.findall(r'name="(map\.\d+)"[^>]*>.*?<option value="([^"]*)" selected', draft.text, re.S))
    assert "lines.qty" in chosen.values()
    form = chosen | {"csrf": token, "do": "run", "mode": "create", "action": "save", "header_row": "1"}
    assert client.post(made.headers["location"], data=form).status_code == 303
    jobs = house.jobs
    assert isinstance(jobs, InlineJobs)
    jobs.drain()
    assert client.get(made.headers["location"]).status_code == 200
    assert client.get(f"{made.headers['location']}/state").headers["HX-Redirect"] == made.headers["location"]


def test_an_upload_without_a_file_says_so(keeper: TestClient) -> None:
    answer = keeper.post(f"{ROOT}/import", data={"csrf": csrf_of(keeper), "form": "stock_in"})
    assert answer.status_code == 422 and "请选择文件" in answer.text


def test_an_attachment_is_kept_and_never_runs(keeper: TestClient, sign_in: SignIn) -> None:
    headers = {"X-CSRF-Token": csrf_of(keeper), "Accept": "application/json"}
    page = ("页.html", b"<script>alert(1)</script>", "text/html")
    kept = keeper.post("/w/acme/files", files={"file": page}, headers=headers)
    assert kept.status_code == 201
    answer = keeper.get(f"/w/acme/files/{kept.json()['id']}")
    assert answer.content == page[1]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"].startswith("application/octet-stream")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert sign_in("mary").get(f"/w/acme/files/{kept.json()['id']}").status_code == 404
    assert keeper.get("/w/acme/files/nothing").status_code == 404
    bare = {"Accept": "application/json"}
    assert keeper.post("/w/acme/files", files={"file": page}, headers=bare).status_code == 403
