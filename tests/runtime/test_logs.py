"""An accident is logged as one line of JSON without the values of local variables."""

from __future__ import annotations

import json

import pytest
import structlog

from runtime.logs import log_plainly


def test_an_accident_is_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    log_plainly()
    secret = "canary-7313"
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.get_logger("stockloom.web").exception("accident", reference="A1")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert (told["event"], told["reference"], told["level"]) == ("accident", "A1", "error")
    assert "ValueError: 11" in told["exception"]
    assert "canary" not in lines[0]
