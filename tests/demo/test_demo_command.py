"""``stockloom demo`` from an empty folder: a small company, lived to the end, verified, and there the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.cli import main
from runtime.commands.demo import MARK


def demo(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--data", str(folder), "--purchases", "40", "--sales", "25", "--no-serve"])
    assert ended.value.code in (0, None)
    return capsys.readouterr().out


def test_a_small_company_is_built_verified_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKLOOM_TEST_MODE", "1")
    (tmp_path / MARK).write_text(json.dumps({"state": "building"}))  # an earlier build was interrupted
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "workspace.db").write_bytes(b"half a database")
    told = demo(tmp_path, capsys)
    assert "采购订单 40 张" in told
    assert "销售订单 25 张" in told
    assert "核对无误" in told
    assert "王总" in told and "stockloom-demo" in told
    assert json.loads((tmp_path / MARK).read_text())["state"] == "ready"
    again = demo(tmp_path, capsys)
    assert "核对无误" not in again
    assert "王总" in again
