"""Whether a new stand-in (委托) goes together with those there are: not two at once, and nobody in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.workflow.directory import StandIn


def at_once(new: StandIn, others: Iterable[StandIn]) -> StandIn | None:
    """Another stand-in of the same person for the same form at some moment of the new one; None for none.

    One for every form beside one for a certain form is no conflict: the certain one counts there.
    """
    same = (each for each in others if each.user == new.user and each.form == new.form)
    return next((each for each in same if each.from_at < new.until_at and new.from_at < each.until_at), None)


def circle(new: StandIn, others: Sequence[StandIn]) -> tuple[int, ...]:
    """The people a circle leads through that ``new`` would close at some moment and form; empty for none.

    A circle does no harm when it comes up all the same (two people add at once): the last before it closes keeps it.
    """
    return _back(new, new, others, (new.user, new.to_user))


def _back(first: StandIn, last: StandIn, others: Sequence[StandIn], path: tuple[int, ...]) -> tuple[int, ...]:
    for each in others:
        together = _together(last, each)
        if each.user != last.to_user or together is None:
            continue
        if each.to_user == first.user:
            return (*path, first.user)
        if each.to_user not in path and (found := _back(first, together, others, (*path, each.to_user))):
            return found
    return ()


def _together(left: StandIn, right: StandIn) -> StandIn | None:
    """When and for which form both hold; it leads to where ``right`` leads."""
    begins, ends = max(left.from_at, right.from_at), min(left.until_at, right.until_at)
    if begins >= ends or (left.form and right.form and left.form != right.form):
        return None
    return StandIn(
        user=left.user, to_user=right.to_user, from_at=begins, until_at=ends, form=left.form or right.form
    )  # fmt: skip
