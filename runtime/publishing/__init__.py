"""Publishing: from definitions somebody wrote to the state everybody works in."""

from __future__ import annotations

from runtime.publishing.override import Despite, despite_tests
from runtime.publishing.plan import Plan, plan
from runtime.publishing.publish import Publication, publish

__all__ = ("Despite", "Plan", "Publication", "despite_tests", "plan", "publish")
