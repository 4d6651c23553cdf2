"""What is kept of a failed effect is read back as problems, whatever kept it."""

from __future__ import annotations

import pytest

from engine.labels import Label
from engine.problems import Refused, problem
from runtime.jobs.attempt import MOST_KEPT, kept_reason, problems_kept

REFUSAL = (
    problem("rule.rejected", "supplier", say=Label("不能下单", "Not from this one")),
    problem("stock.short", "lines.1"),
)


def test_a_refusal_is_kept_with_every_problem() -> None:
    assert problems_kept(kept_reason(Refused(REFUSAL))) == REFUSAL


@pytest.mark.parametrize("text", ["OSError: no way out", "[1]", '{"code": "x"}', "null", "["])
def test_what_was_kept_before_is_its_own_reason(text: str) -> None:
    assert problems_kept(text) == (problem("job.failed", reason=text),)


def test_an_accident_and_an_endless_refusal_fit() -> None:
    assert problems_kept(kept_reason(OSError("no way"))) == (problem("job.failed", reason="OSError: no way"),)
    endless = Refused([problem("stock.short", f"lines.{number}") for number in range(200)])
    kept = kept_reason(endless)
    assert len(kept) <= MOST_KEPT
    assert [each.code for each in problems_kept(kept)] == ["job.failed"]
