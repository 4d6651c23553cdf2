"""Loops of rules: the chain of rules whose effects led here, and where it is cut.

A rule that writes a document may wake another, and that one the first again. Nothing forbids it, since a chain may be
meant; but it is cut when it has become too long, and the author is told the whole chain.
"""

from __future__ import annotations

from engine.problems import Problem, problem

LIMIT = 8


def cut(chain: tuple[str, ...], rule: str) -> Problem | None:
    """Why ``rule`` may not run any more at the end of ``chain``; None while it may."""
    if len(chain) < LIMIT:
        return None
    return problem("rule.loop_cut", rule=rule, limit=LIMIT, chain=" → ".join((*chain, rule)))


def longer(chain: tuple[str, ...], rule: str) -> tuple[str, ...]:
    """The chain effects of ``rule`` carry on."""
    return (*chain, rule)
