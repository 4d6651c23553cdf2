"""Any sequence of moves equals the oracle, keeps every cent, and can be wound back and inserted into: both methods."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.costing import METHODS, Basis, Move, Part, PoolState, Settled
from tests.costing.book import Book, order
from tests.costing.oracle import ORACLES, LayerOracle, Oracle

START = date(2026, 1, 1)
DAYS = 6
ZERO = Decimal(0)
EVERY = pytest.mark.parametrize("key", sorted(METHODS))

quantities = st.one_of(
    st.integers(1, 12).map(Decimal),
    st.decimals(min_value=Decimal("0.000001"), max_value=1000, places=6),
)


def amounts(places: int) -> st.SearchStrategy[Decimal]:
    return st.one_of(st.just(ZERO), st.decimals(min_value=0, max_value=2000, places=places))


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[Move]]:
    """Decimals of money, and moves in cost order with entry ids in an order of their own, as back-dating makes them."""
    places = draw(st.sampled_from((0, 2, 4)))
    negative = draw(st.booleans())
    length = draw(st.integers(0, 22))
    entries = draw(st.permutations(range(101, 101 + length)))
    days = sorted(draw(st.lists(st.integers(0, DAYS), min_size=length, max_size=length)))
    made: list[Move] = []
    for day, entry in sorted(zip(days, entries, strict=True)):
        made.append(draw(moves(places, START + timedelta(day), entry, made, negative)))
    return places, made


KINDS = (
    *("receipt", "receipt", "issue", "issue", "issue", "gain", "carried", "neutral", "adjust"),
    *("sales return", "sales return", "purchase return", "share", "share", "reversal"),
)


@st.composite
def moves(draw: st.DrawFn, places: int, day: date, entry: int, before: list[Move], negative: bool = True) -> Move:
    """A move of any kind after the moves ``before``; unless ``negative``, it takes no more than is there."""
    kind, quantity, value = draw(st.sampled_from(KINDS)), draw(quantities), draw(amounts(places))
    signed = value if draw(st.booleans()) else -value
    held = sum((each.quantity for each in before if each.basis != "neutral"), ZERO)
    came = [each for each in before if each.quantity > 0 and each.basis != "neutral"]
    went = [each for each in before if each.quantity < 0 and each.basis != "neutral"]

    def made(basis: Basis, quantity: Decimal, value: Decimal = ZERO, **more: object) -> Move:
        if quantity < 0 and not negative and basis != "neutral":
            quantity = max(quantity, -held)
        if not quantity and kind not in ("adjust", "share"):
            quantity, value = Decimal(7), abs(value)
        return Move(entry=entry, day=day, quantity=quantity, basis=basis, value=value)._replace(**more)  # type: ignore[arg-type]

    if kind == "issue":
        # Often all there is: zero is where residues would show.
        everything = held > 0 and draw(st.integers(0, 3)) == 0
        return made("method", -held if everything else -quantity)
    if kind == "gain":
        return made("method", quantity)
    if kind == "neutral":
        return made("neutral", quantity if draw(st.booleans()) else -quantity)
    if kind == "adjust":
        return made("given", ZERO, signed)
    if kind == "carried":
        part = st.tuples(st.integers(0, 9), st.integers(90, 99), quantities, amounts(places))
        parts = tuple(
            Part(day=day - timedelta(ago), root=root, quantity=each, value=worth)
            for ago, root, each, worth in draw(st.lists(part, max_size=3))
        )
        known = sum((one.quantity for one in parts), ZERO), sum((one.value for one in parts), ZERO)
        if not parts or draw(st.booleans()):
            known = known[0] + quantity, known[1] + value
        return made("carried", *known, parts=parts)
    if kind == "sales return" and went:
        origin = draw(st.sampled_from(went))
        return made("source", min(quantity, -origin.quantity), value, origin=origin.entry)
    if kind == "purchase return" and came:
        origin = draw(st.sampled_from(came))
        return made("source", -min(quantity, origin.quantity), -value, origin=origin.entry)
    if kind == "share" and came:
        origin = draw(st.sampled_from(came))
        return made("share", ZERO, signed, origin=origin.entry, base=origin.quantity - draw(st.sampled_from((0, 1))))
    if kind == "reversal" and came:
        origin = draw(st.sampled_from(came))
        return made("given", -origin.quantity, -origin.value, origin=origin.entry)
    return made("given", quantity if kind != "share" else ZERO, value)


def run(key: str, places: int, history: list[Move]) -> Book:
    book = Book(METHODS[key], places)
    for move in history:
        book.settle(move)
    return book


def figures(oracle: Oracle) -> tuple[Fraction, ...]:
    return oracle.quantity, oracle.value, oracle.last, oracle.latest


def same(state: PoolState, oracle: Oracle) -> None:
    assert (state.quantity, state.value, state.last, state.latest) == figures(oracle)
    if isinstance(oracle, LayerOracle):
        layers = [((one.day, one.root, one.entry, one.part), one.quantity, one.value) for one in state.layers]
        assert layers == oracle.open()


@EVERY
@settings(max_examples=100, deadline=None)
@given(made=histories())
def test_a_pool_equals_the_oracle(key: str, made: tuple[int, list[Move]]) -> None:
    places, history = made
    book, oracle = Book(METHODS[key], places), ORACLES[key](places)
    for move in history:
        settled = book.settle(move)
        assert (settled.value, settled.variance) == oracle.settle(move), move
        state = book.pool.state()
        same(state, oracle)
        assert book.pool.worth(Decimal(3)) == oracle.worth(Fraction(3))
        assert (settled.last, settled.latest) == (state.last, state.latest)


@EVERY
@settings(max_examples=100, deadline=None)
@given(made=histories())
def test_nothing_is_lost_left_over_or_below_zero(key: str, made: tuple[int, list[Move]]) -> None:
    places, history = made
    book = Book(METHODS[key], places)
    for move in history:
        settled = book.settle(move)
        _keeps_the_stated_amount(key, move, settled)
        _keeps_the_pool(key, book.pool.state())
    _keeps_the_layers(book)


def _keeps_the_stated_amount(key: str, move: Move, settled: Settled) -> None:
    restored = key == "fifo" and move.basis == "source" and move.quantity > 0
    if move.basis in ("given", "source", "share", "carried") and not restored:
        assert settled.value + settled.variance == move.value
    if move.basis in ("method", "neutral"):
        assert settled.variance == 0
    if key == "fifo" and move.quantity < 0 and move.basis != "neutral":
        assert [(part.day, part.root, part.quantity, part.value) for part in settled.parts] == [
            (use.day, use.root, use.quantity, use.value) for use in settled.uses
        ]
    assert len({(use.layer, use.part) for use in settled.uses}) == len(settled.uses)


def _keeps_the_pool(key: str, state: PoolState) -> None:
    assert state.quantity != 0 or state.value == 0
    assert state.value >= 0 if state.quantity >= 0 else state.value <= 0
    if key != "fifo":
        return
    assert all(layer.quantity > 0 and layer.value >= 0 for layer in state.layers)
    keys = [(layer.day, layer.root, layer.entry, layer.part) for layer in state.layers]
    assert all(first < second for first, second in pairwise(keys))
    assert sum((layer.quantity for layer in state.layers), ZERO) == max(state.quantity, ZERO)
    assert sum((layer.value for layer in state.layers), ZERO) == max(state.value, ZERO)


def _keeps_the_layers(book: Book) -> None:
    """A layer is what it began with less its uses."""
    left = {
        (one.entry, one.part): (one.day, one.root, one.quantity, one.value)
        for _, each in book.kept
        for one in each.opened
    }
    for _, settled in book.kept:
        for use in settled.uses:
            day, root, quantity, value = left[use.layer, use.part]
            assert (use.day, use.root) == (day, root)
            left[use.layer, use.part] = (day, root, quantity - use.quantity, value - use.value)
    kept = {(one.entry, one.part): (one.day, one.root, one.quantity, one.value) for one in book.pool.state().layers}
    assert {key: one for key, one in left.items() if one[2] or one[3]} == kept


@EVERY
@settings(max_examples=100, deadline=None)
@given(made=histories(), data=st.data())
def test_winding_back_and_settling_again_changes_nothing(
    key: str, made: tuple[int, list[Move]], data: st.DataObject
) -> None:
    places, history = made
    book = run(key, places, history)
    state, kept = book.pool.state(), list(book.kept)
    number = data.draw(st.integers(0, len(history)))
    again = book.rewind(number)
    assert book.pool.state() == run(key, places, history[:number]).pool.state()
    for move in again:
        book.settle(move)
    assert (book.pool.state(), book.kept) == (state, kept)


@EVERY
@settings(max_examples=100, deadline=None)
@given(made=histories(), data=st.data())
def test_a_back_dated_move_is_as_if_it_had_been_there(
    key: str, made: tuple[int, list[Move]], data: st.DataObject
) -> None:
    places, history = made
    day = START + timedelta(data.draw(st.integers(0, DAYS)))
    late = data.draw(moves(places, day, 900, [each for each in history if each.day <= day]))
    book = run(key, places, history)
    book.insert(late)
    straight = run(key, places, sorted([*history, late], key=order))
    assert (book.pool.state(), book.kept) == (straight.pool.state(), straight.kept)


@settings(max_examples=100, deadline=None)
@given(made=histories(), wanted=quantities, back=quantities)
def test_layers_that_are_not_reached_need_not_be_known(
    made: tuple[int, list[Move]], wanted: Decimal, back: Decimal
) -> None:
    places, history = made
    state = run("fifo", places, history).pool.state()
    wanted = min(wanted, max(state.quantity, Decimal(1)))
    enough, covered = [], ZERO
    for layer in state.layers:
        if covered < wanted:
            enough.append(layer)
            covered += layer.quantity
    day = START + timedelta(DAYS)
    issue = Move(entry=900, day=day, quantity=-wanted, basis="method")
    returned = Move(entry=901, day=day, quantity=min(back, wanted), basis="source", origin=900, value=Decimal(3))
    few = METHODS["fifo"].pool(state._replace(layers=tuple(enough)), places)
    whole = METHODS["fifo"].pool(state, places)
    assert [few.settle(issue), few.settle(returned)] == [whole.settle(issue), whole.settle(returned)]
