"""Checks a dump of the ledgers (docs/dump.md): python tools/check_ledger.py FOLDER [DIGEST of a seal kept elsewhere].

Written from docs/ledger.md with the standard library alone; no line of the product is imported. Figures are whole
numbers as dumped, quotients fractions until they are rounded. Prints what is wrong and where.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

NUMBERS = """id product warehouse bin owner partner subject ref_document ref_line quantity value aux document line batch
origin stated mirror_of month entries entry part root seal chains"""
KEYED = """product warehouse bin lot serial status owner partner subject element ref_form ref_document ref_line"""
HASHED = f"""id ledger {KEYED} quantity value aux due move form document line action batch biz_date basis origin stated
mirror_of snapshot posted_at user"""
LETTERS = dict(zip([*KEYED.split(), "move", "month"], "pwblsqocjefdimt", strict=True))
PRICE = 10**8  # price × quantity in 10⁻⁶ each is money in 10⁻⁴ times this


class Check:
    """One dump and what was found wrong with it."""

    def __init__(self, folder: Path, anchor: str) -> None:
        self.rules = json.loads((folder / "rules.json").read_text("utf-8"))
        self.rows, self.found, self.anchor, whole = {}, [], anchor.lower(), NUMBERS.split()
        for name in ("entries", "balances", "layers", "seals", "seal_heads", "documents"):
            with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                rows = [row.items() for row in csv.DictReader(file)]
            self.rows[name] = [{key: int(it or 0) if key in whole else it for key, it in row} for row in rows]
        self.entries = self.rows["entries"]
        self.by_id = {one["id"]: one for one in self.entries}
        self.mirrors = {one["mirror_of"]: one for one in self.entries if one["mirror_of"]}
        self.added, self.varied, self.left, self.bags, self.taken = (Counter() for _ in range(5))
        for one in self.entries:
            one["month"] = int(one["biz_date"][:7].replace("-", ""))
            one["job"] = (one["form"], one["document"], one["batch"], one["subject"])
            self.left[one["job"]] += one["stated"] if one["basis"] == "rest" else 0
            if one["basis"] == "derived":
                (self.varied if one["ledger"] == "variance" else self.added)[one["origin"]] += one["value"]
        self.own = [one for one in self.entries if not one["mirror_of"] and one["basis"] != "derived"]
        self.live = [one for one in self.own if one["id"] not in self.mirrors]
        self.standing = {(one["form"], one["id"]): one for one in self.rows["documents"]}
        declared = self.rules["ledgers"].items()
        self.grains = defaultdict(dict, {key: {each["grain"]: each for each in one["grains"]} for key, one in declared})

    def say(self, code: str, text: str, one: dict) -> None:
        number = self.standing.get((one["form"], one["document"]), {}).get("number") or f"#{one['document']}"
        self.found.append(f"{code} {one['form']} {number} line #{one['line']} entry #{one['id']}: {text}")

    def key(self, ledger: str, grain: str, one: dict) -> str:
        """The text a balance is known by: ledger, grain, and what of its dimensions is not empty."""
        kept = self.grains.get(ledger, {}).get(grain, {"dimensions": LETTERS})["dimensions"]
        words = [(LETTERS[name], str(one[name])) for name in LETTERS if name in kept and one[name]]
        return "|".join((ledger, grain, *(at + it.replace("\\", "\\\\").replace("|", "\\!") for at, it in words)))

    def counts(self, grain: dict, one: dict) -> bool:
        cases = {**one, "": True, "owned": not one["owner"], "referring": one["ref_document"]}  # element, serial: as is
        cases["detailed"] = any(map(one.get, ("bin", "lot", "serial", "status", "owner")))
        cases["unusable"] = one["owner"] or one["status"] in self.rules["unusable"]
        return bool(cases[grain["only"]])

    def balances(self) -> None:
        """I1: a balance is what its entries add up to. I5: every hash covers the one before it in its chain."""
        folded, self.chains = {}, defaultdict(list)
        for one in self.entries:
            for place, grain in enumerate(self.grains[one["ledger"]].values()):
                if self.counts(grain, one):
                    held = folded.get(key := self.key(one["ledger"], grain["grain"], one), (0, 0, 0, "", 0))
                    sums = (it + one[name] for it, name in zip(held, ("quantity", "value", "aux"), strict=False))
                    folded[key] = (*sums, max(held[3], one["biz_date"]), held[4] + 1)
                    if not place:
                        words = [str({**one, "mirror_of": one["mirror_of"] or ""}[name]) for name in HASHED.split()]
                        text = "\x1f".join([(self.chains[key] or [""])[-1], *words])
                        if hashlib.sha256(text.encode()).hexdigest() != one["hash"]:
                            self.say("I5", "its hash does not follow the one before it", one)
                        self.chains[key].append(one["hash"])
        for one in self.rows["balances"]:
            kept = tuple(one[name] for name in ("quantity", "value", "aux", "last_day", "entries"))
            right = folded.pop(one["key"], (0, 0, 0, "", 0))
            if kept != right or one["key"] != self.key(one["ledger"], one["grain"], one):
                self.found.append(f"I1 balance {one['key']}: kept {kept}, entries add up to {right}")
            if one["head"] != (self.chains.get(one["key"]) or [""])[-1]:
                self.found.append(f"I5 chain {one['key']}: the head kept with the balance is another")
        self.found += [f"I1 balance {key}: not kept, entries add up to {right}" for key, right in folded.items()]

    def seals(self) -> None:
        """I5: seals bind heads that are still there; each covers the one before."""
        bound, previous, digests = defaultdict(list), "", {"", *(one["digest"] for one in self.rows["seals"])}
        for one in self.rows["seal_heads"]:
            bound[one["seal"]].append((one["key"], str(one["entries"]), one["head"]))
            if self.chains.get(one["key"], [])[one["entries"] - 1 : one["entries"]] != [one["head"]]:
                self.found.append(f"I5 chain {one['key']}: entry {one['entries']} is not what seal {one['seal']} bound")
        for one in self.rows["seals"]:
            heads = sorted(bound.pop(one["id"], []))
            right = hashlib.sha256("\n".join([previous, *map("\x1f".join, heads)]).encode()).hexdigest()
            if (one["previous"], one["digest"], one["chains"]) != (previous, right, len(heads)):
                self.found.append(f"I5 seal {one['id']} is not the digest of what it binds")
            previous = one["digest"]
        self.found += [f"I5 seal {number} is missing" for number in bound]
        self.found += [f"I5 no seal has the digest {self.anchor}"] if self.anchor not in digests else []

    def running(self) -> None:
        """I2: never below zero, neither as posted (a document as a whole) nor by business date."""
        live, allowed, places = {one["id"] for one in self.live}, self.rules["negative_stock_in"], defaultdict(list)
        for one in self.entries:
            for name in ("place", "detail") if one["ledger"] == "stock" and not self.rules["negative_stock"] else ():
                if self.counts(self.grains["stock"][name], one):
                    places[self.key("stock", name, one)].append(one)
        for key, rows in places.items():
            acts = defaultdict(list)
            for one in rows:
                acts[one["job"][:3]].append(one)
            dated = [[one] for one in sorted(rows, key=lambda one: (one["biz_date"], one["id"])) if one["id"] in live]
            for order, steps, after in (("posted", acts.values(), 0), ("dated", dated, self.rules["guarded_after"])):
                running = 0
                for step in steps:
                    running += (moved := sum(one["quantity"] for one in step))
                    if running < 0 > moved and step[-1]["id"] > after and step[-1]["snapshot"] not in allowed:
                        self.say("I2", f"{key} is {running}, in the order {order}", step[-1])
                        break

    def pairs(self) -> None:
        """I3: what leaves here arrives there. I4: a reversal is the opposite of what it reverses."""
        for one in self.own:
            other = self.by_id.get(one["origin"])
            if one["basis"] in ("pair", "neutral") and other:
                value = self.varied[one["id"]] + sum(each["value"] + self.added[each["id"]] for each in (one, other))
                if value or (one["basis"] == "neutral" and one["quantity"] + other["quantity"]):
                    self.say("I3", f"it does not cancel out with entry #{other['id']}", one)
        for original, one in self.mirrors.items():
            other = self.by_id.get(original)
            same = ("ledger", "form", "document", "line", "biz_date", *KEYED.split()[:10])
            if not other or any(one[name] != other[name] for name in same):
                self.say("I4", "it reverses no entry like it", one)
            elif any(one[name] + other[name] for name in ("quantity", "value", "aux")):
                self.say("I4", f"it is not the opposite of entry #{original}", one)
            elif self.added[original] or self.varied[original]:
                self.say("I4", "it is reversed, but costing left something on it", other)

    def documents(self) -> None:
        """I4: live entries exactly while posted, from one act, reversed as a whole. I6: no number twice."""
        acts = defaultdict(lambda: defaultdict(list))
        for one in self.own:
            acts[one["form"], one["document"], one["action"]][one["batch"]].append(one)
        for (form, document, action), batches in acts.items():
            live = [batch for batch in batches.values() if any(one["id"] not in self.mirrors for one in batch)]
            status = self.standing.get((form, document), {}).get("status", "missing")
            wrong = len(live) > 1 or any(one["id"] in self.mirrors for batch in live for one in batch)
            right = {"close": ["closed"], "submit": ["pending"]}.get(action, ["approved", "closed", "reversed"])
            if live and (wrong or status not in right):
                self.say("I4", f"the document is {status}; {len(live)} live postings of {action}", live[0][0])
        times = Counter((one["form"], one["number"] or one["id"]) for one in self.rows["documents"])
        self.found += [f"I6 number {number} was given twice" for number, many in times.items() if many > 1]

    def costs(self) -> None:
        """I7: values, variances and layers are what costing finds from the first entry on."""
        self.pools, self.known, self.unit = {}, {0: [0] * 6}, 10 ** (4 - self.rules["money_decimals"])
        for one in sorted(self.live, key=lambda one: (one["biz_date"], one["id"])):
            if one["ledger"] in ("stock", "wip"):
                right = self.settle(one)
                kept = (one["value"] + self.added[one["id"]], self.varied[one["id"]])
                if one["basis"] != "neutral" and kept != right:
                    self.say("I7", f"value and variance are {kept}, from scratch {right}", one)
        names, right = ("pool", "day", "root", "entry", "part", "quantity", "value"), set()
        kept = {tuple(one[name] for name in names) for one in self.rows["layers"] if one["quantity"]}
        for pool, goods in self.pools.items():
            right |= {(pool, *key, *held) for key, held in goods.layers.items() if held[0] and goods.fifo}
        for one in sorted(kept ^ right):
            self.found.append(f"I7 layer {one}: {'kept' if one in kept else 'missing'}, from scratch it is otherwise")

    def settle(self, one: dict) -> tuple:
        """Value and variance of an entry. Known of each: pool, quantity, value, landed per unit, returned, parts."""
        origin, basis, subject, value = self.known.get(one["origin"] or -1), one["basis"], one["subject"], one["stated"]
        pool = "" if one["ledger"] == "wip" or one["owner"] else self.key("stock", "cost", one)
        quantity, variance, parts, base, back = one["quantity"], 0, (), 0, 0
        if one["ledger"] == "wip":
            if basis == "rest":
                left, bag = self.left[one["job"]], self.bags[subject]
                value = -bag if value == left or not left else -half_up(Fraction(bag * value, left), self.unit)
                self.left[one["job"]] -= one["stated"]
                self.taken[*one["job"], one["line"]] += value
            elif basis == "pair" and origin:
                value = -origin[2]
            self.bags[subject] += value
        elif one["owner"] or basis == "neutral":
            value = 0 if one["owner"] else one["value"]
        else:
            goods = self.pools.setdefault(pool, Pool(self.unit, self.rules["cost_method"] == "fifo"))
            if basis == "pair" and origin:
                basis, value = "carried" if origin[0] else "given", -origin[2]
                parts = measured(origin[5], -origin[1], quantity)
            elif basis == "source" and origin:
                value = half_up(quantity * (Fraction(origin[2], origin[1] or 1) + origin[3]), self.unit)
                back = one["origin"] if quantity < 0 or origin[0] == pool else 0
                origin[4] += quantity
            elif basis == "share":
                value, back = -self.taken[*one["job"], one["line"]] if subject else value, one["origin"]
                base = origin[1] + origin[4] if origin else 0
            basis = basis if basis in ("method", "source", "share", "carried") else "given"
            value, variance, parts = goods.settle(one, basis, 0 if base else quantity, value, back, base, parts)
            (origin or self.known[0])[3] += Fraction(value, base) if base > 0 else 0
        self.known[one["id"]] = [pool, quantity, value, 0, 0, parts]
        return value, variance


class Pool:
    """Goods that share one cost: layers by (day, root, entry, part); with moving average one layer holds them all."""

    def __init__(self, unit: int, fifo: bool) -> None:
        self.fifo, self.quantity, self.value, self.last, self.latest = fifo, 0, 0, 0, 0
        self.layers, self.uses = {}, defaultdict(list)
        self.share = lambda value, part, whole: half_up(Fraction(value * part, whole), unit)

    def put(self, key: tuple, quantity: int, value: int) -> int:
        held = self.layers.setdefault(key if self.fifo else ("", 0, 0, 0), [0, 0])
        held[0], held[1] = held[0] + quantity, held[1] + value
        return value

    def settle(self, one: dict, basis: str, quantity: int, value: int, origin: int, base: int, parts: tuple) -> tuple:
        day, entry, out, stated = one["biz_date"], one["id"], [], value
        bears, gone = self.value + value >= 0 or basis == "given", max(min(-self.quantity, quantity), 0)
        got = self.share(self.value, gone, self.quantity) if gone else 0  # what a shortfall carries, as it is cleared
        rest, own = quantity - gone, [key for key in sorted(self.layers) if not self.fifo or origin in key[1:3]]
        if not quantity:
            keys = own if basis == "share" else sorted(self.layers)
            weights = [self.layers[key][0] for key in keys]
            here = min(sum(weights), base)
            value = (self.share(value, here, base) if here > 0 else 0) if basis == "share" else value
            worths = [self.layers[key][1] for key in keys]
            weights = worths if basis != "share" and any(worths) else weights
            upto = [self.share(value, sum(weights[:place]), sum(weights)) for place in range(len(keys) + 1) if weights]
            for place, key in enumerate(keys):
                got += self.put(key, 0, max(upto[place + 1] - upto[place], -self.layers[key][1]))
        elif quantity < 0 and not self.fifo and basis != "method" and self.quantity + quantity > 0 and bears:
            got = self.put((), quantity, max(value, -self.value))
        elif quantity < 0:
            left = -quantity
            for key in [*(own if origin and basis != "method" else ()), *sorted(self.layers)]:
                number = min(left, self.layers[key][0])
                if number:
                    worth = -self.put(key, -number, -self.share(self.layers[key][1], number, self.layers[key][0]))
                    self.uses[entry].append((entry, key, number, worth))
                    out, got, left = [*out, (*key[:2], number, worth)], got - worth, left - number
            if left:
                average = not self.fifo and self.quantity > 0 < self.value
                got -= self.share(self.value, left, self.quantity) if average else self.share(self.last, left, PRICE)
        elif basis == "source" and self.fifo:
            took, stated = {}, self.share(value, gone, quantity) if gone else 0
            for user, key, number, worth in self.uses[origin]:
                held = took.setdefault(key, (0, 0)) if user == origin or key in took else (0, 0)
                took[key] = (held[0] + number, held[1] + worth) if key in took else held
            for key, (held, worth) in [*reversed(took.items()), ((day, entry, entry, 0), (0, 0))]:
                number = rest if key[2] == entry else max(min(rest, held), 0)
                worth = self.share(value, number, quantity) if key[2] == entry else self.share(worth, number, held)
                self.uses[origin].append((entry, key, -number, -self.put(key, number, worth)))
                got, stated, rest = got + worth, stated + worth, rest - number
        elif basis == "method":
            price, whole = (self.value, self.quantity) if self.quantity > 0 else (self.last, PRICE)
            price, whole = (self.latest, PRICE) if self.fifo and self.latest else (price, whole)
            got += self.put((day, entry, entry, 0), rest, self.share(price, rest, whole))
        else:
            goods, worth = (sum(part[place] for part in parts) for place in (2, 3))
            parts = [*parts, (day, entry, quantity - goods, value - worth)]
            for number, (day, root, held, worth) in sorted(enumerate(parts), key=lambda each: (*each[1][:2], each[0])):
                used, gone = min(gone, held), max(gone - held, 0)
                got += self.put((day, root, entry, number), held - used, self.share(worth, held - used, held or 1))
        self.layers = {key: held for key, held in self.layers.items() if held[0]}
        self.quantity, self.value = self.quantity + quantity, self.value + got
        if quantity > 0 and basis == "given" and value > 0:
            self.last = self.latest = half_up(Fraction(value * PRICE, quantity))
        elif quantity and got:
            self.last = half_up(Fraction(abs(got) * PRICE, abs(quantity)))
        return got, (one["stated"] or (got if basis == "method" else stated)) - got, tuple(out)


def measured(parts: tuple, whole: int, quantity: int) -> list:
    """Parts of ``whole`` goods as parts of the ``quantity`` they became; what comes to nothing joins a neighbour."""
    made, upto, worth, became = [], 0, 0, lambda held: half_up(Fraction(quantity * held, whole or 1))
    for day, root, held, value in parts:
        number, upto, worth = became(upto + held) - became(upto), upto + held, worth + value
        made, worth = ([*made, (day, root, number, worth)], 0) if number else (made, worth)
    return [*made[:-1], *((*one[:3], one[3] + worth * (became(upto) == quantity)) for one in made[-1:])]


def half_up(value: Fraction, unit: int = 1) -> int:
    return int((2 * abs(value) / unit + 1) // 2) * (unit if value >= 0 else -unit)  # half away from zero


if __name__ == "__main__":
    check = Check(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
    for step in (check.balances, check.seals, check.running, check.pairs, check.documents, check.costs):
        step()
    print("\n".join([*check.found, f"{len(check.entries)} entries, {len(check.found)} findings"]))
    sys.exit(1 if check.found else 0)
