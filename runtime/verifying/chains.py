"""I5: entries never change. Every chain is linked anew, and seals bind what they say they bind.

The first entry whose hash does not follow is where something was changed, put in or taken out; what comes after it is
judged by the hashes that are kept, so that one change is one finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.ledger import Ledger
from engine.ledger.balance import BalanceKey
from engine.ledger.chain import digest, linked
from engine.problems import Problem, problem
from runtime.stages.steps import Unit
from runtime.storage import proofs, seals
from runtime.storage.proofs import PLACE
from runtime.storage.seals import Seal
from runtime.verifying.address import at


def chains(unit: Unit, declared: Mapping[str, Ledger], anchor: str | None) -> Iterator[Problem]:
    """Every finding about chains and seals.

    Args:
        anchor: digest of a seal that was kept elsewhere; empty or None asks for none.
    """
    sealed: dict[int, list[seals.Head]] = {}
    bound: dict[str, dict[int, list[tuple[str, int]]]] = {}
    for number, (key, entries, head) in seals.heads(unit.connection):
        sealed.setdefault(number, []).append((key, entries, head))
        bound.setdefault(key, {}).setdefault(entries, []).append((head, number))
    yield from _sealed(seals.every(unit.connection), sealed, anchor)
    heads = dict(proofs.chain_heads(unit.connection))
    reached: dict[tuple[str, ...], tuple[str, str, int]] = {}
    named = {key: [PLACE[name] for name in one.grains[one.chain].dimensions] for key, one in declared.items()}
    for words, kept in proofs.entry_words(unit.connection):
        ledger = words[1]
        if ledger not in named:
            continue
        chain = (ledger, *(words[place] for place in named[ledger]))
        text, head, entries = reached.get(chain) or (_key(declared[ledger], words), "", 0)
        if linked(head, words) != kept:
            document, line = int(words[PLACE["document"]]), int(words[PLACE["line"]])
            yield at(unit, "verify.chain", words[PLACE["form"]], document, line, entry=int(words[0]), key=text)
        reached[chain] = (text, kept, entries + 1)
        for bound_head, number in bound.get(text, {}).pop(entries + 1, ()):
            if bound_head != kept:
                yield problem("verify.seal_head", key=text, seal=number, entries=entries + 1)
    for text, head, entries in reached.values():
        if heads.pop(text, (0, "")) != (entries, head):
            yield problem("verify.head", key=text, entries=entries)
    for text, (entries, _) in sorted(heads.items()):
        yield problem("verify.head", key=text, entries=entries)
    for text, left in sorted(bound.items()):
        for entries, missing in sorted(left.items()):
            for _, number in missing:
                yield problem("verify.seal_cut", key=text, seal=number, entries=entries)


def _key(ledger: Ledger, words: list[str]) -> str:
    texts = ("lot", "serial", "status", "element", "ref_form", "move")
    parts = {name: words[PLACE[name]] for name in ledger.grains[ledger.chain].dimensions}
    found = {name: value if name in texts else int(value) for name, value in parts.items()}
    return BalanceKey(ledger.key, ledger.chain, **found).text  # type: ignore[arg-type]


def _sealed(made: Sequence[Seal], sealed: Mapping[int, Sequence[seals.Head]], anchor: str | None) -> Iterator[Problem]:
    """Seals follow each other and are the digest of their heads; the anchor is one of them."""
    for number in sorted(sealed.keys() - {one.id for one in made}):
        yield problem("verify.seal", seal=number)
    previous = ""
    for one in made:
        heads = sealed.get(one.id, ())
        if (one.previous, one.chains, one.digest) != (previous, len(heads), digest(one.previous, heads)):
            yield problem("verify.seal", seal=one.id)
        previous = one.digest
    if anchor and anchor.strip().lower() not in {one.digest for one in made}:
        yield problem("verify.anchor", digest=anchor.strip())
