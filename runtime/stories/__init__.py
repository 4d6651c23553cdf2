"""Stories: what an app promises, acted out in a fresh workspace and compared with what was expected."""

from __future__ import annotations

from runtime.stories.perform import Result, perform
from runtime.stories.theatre import Theatre

__all__ = ("Result", "Theatre", "perform")
