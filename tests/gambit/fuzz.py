"""Game files that are valid, damaged or malicious, to see that reading them ends in a game or in NotReadable.

A game that was read must survive being written and read again. Run: python -m tests.gambit.fuzz 1000000 --seed 0
"""

import argparse
import random
import time
from collections import Counter
from itertools import islice

import numpy as np

from ludus.gambit import NotReadable, _read, write_efg, write_nfg
from ludus.normal_form import NormalForm

ARRAYS = ("turn", "parent", "action", "first", "chance", "infoset", "payoff", "player", "legal", "view")

CORPUS = (
    """EFG 2 R "one end" { "A" }
t "" 0
""",
    """EFG 2 D "matching" { "A" "B" } "a comment"
p "" 1 1 "" { "H" "T" } 0
p "" 2 1 "" { "H" "T" } 0
t "" 1 "" { 1, -1 }
t "" 2 "" { -1, 1 }
p "" 2 1 0
t "" 2
t "" 1
""",
    """EFG 2 R "deal" { "A" "B" }\r
c "" 1 "" { "x" 1/3 "y" 2/3 } 0\r
p "" 1 7 "saw \\"x\\"" { "in" "out" } 3 "" { 1 .5 }\r
t "" 0\r
t "" 4 "won" { 1e3 -2.5e-1 }\r
c "" 2 "" { "" 0.25 "" 0.75 } 0 t "" 3 t "" 4
""",
    """EFG 2 R "forgets" { "Spieler é" }
p "" 1 1 "" { "on" "" "" } 0
p "" 1 1 0 t "" 0 t "" 0 t "" 0
t "" 0 t "" 0
""",
    """EFG 2 R "" { "A" "A" "" }
"Ludus {\\"words\\": [\\"b\\", \\"a\\"], \\"perfect_recall\\": true, \\"view_size\\": 2, \\"views\\": [3, -4]}"
p "" 2 1 "" { "a" "b" } 0
t "" 1 "" { 1/3, 2/3 -3/7 }
t "" 0
""",
    """NFG 1 R "payoffs" { "A" "B" } { 3 2 }
"why"
1 1 0 2 0 2 1 1 0 3 2 0
""",
    """NFG 1 D "outcomes" { "A" "B" }
{ { "x" "y" } { "u" "v" } }
{ { "" 1, -1 } { "draw" 0 1/2 } }
1 2 0 1
""",
    """NFG 1 R "three" { "A" "B" "C" } { { "a" "" } { "b" "b" } { "c" } }
1 2 3 4 5 6 7 8 9 -1.5 1e2 +3
""",
)
NASTY = (
    "1e999999999", "-1e999999999", "1e-999999999", "1/0", "0/0", "-1/3", "nan", "inf", "-inf", "1e", "1/", "1.", ".5",
    "+", "-", "--1", "0x10", "1_000", "9" * 400, "9" * 5000, "1/" + "3" * 700, "9" * 18, "9" * 19, "1000000", "0", "1",
    "2", "{", "}", "{ }", '"', '""', "\\", '\\"', ",", ",,", "EFG", "NFG", "c", "p", "t", "\x00", "é", "\u2028",
    "\U0001f0a1", "\ufeff", "{" * 300, "}" * 300, '"\\u{110000}"', '"\\u{d800}"', '"\\u{41}"', "{ 99999 99999 }",
    '"Ludus {}"', '"Ludus ' + "[" * 3000 + '"', '"Ludus {\\"words\\": [], \\"perfect_recall\\": 1}"', '{ "x" 1 }',
    'c "" 1 "" { "x" 1 } 0', 'p "" 1 1 "" { "x" } 0', 't "" 0', 't "" 1 "" { 1 2 }',
)  # fmt: skip


def spaced(rng, words):
    """The words with white space of any kind between them."""
    return "".join(word + rng.choice((" ", " ", "\n", "\t", "\r\n", "  ")) for word in words)


def number(rng):
    whole, real = rng.randint(-9, 9), rng.uniform(-9, 9)
    return rng.choice(
        (f"{whole}", f"{whole}/{rng.randint(1, 9)}", f"{real:.3f}", f"{real:.2e}", f".{abs(whole)}", f"{whole}.")
    )


def text(rng):
    return (
        '"'
        + "".join(rng.choices(("a", "b", "C", " ", '\\"', "{", "1", "\u00e9", "\\x", ""), k=rng.randint(0, 4)))
        + '"'
    )


def odds(rng, size):
    """Probabilities that add up to one: fractions with one denominator, or decimals."""
    cuts = sorted(rng.randint(0, 60) for _ in range(size - 1))
    parts = [high - low for low, high in zip([0, *cuts], [*cuts, 60], strict=True)]
    return [f"{part}/60" for part in parts] if rng.random() < 0.7 else [f"{part / 60:.12f}" for part in parts]


def some_efg(rng, most=25):
    """A valid extensive game of about `most` nodes at most: descriptions repeated or left out, outcomes anywhere."""
    players = rng.randint(1, 3)
    moves, outcomes, words, budget = {}, {}, [], rng.randint(1, most)

    def outcome():
        number_of = rng.choice((0, 0, rng.randint(1, 5)))
        if number_of == 0:
            return ["0"]
        known = number_of in outcomes
        if not known:
            comma = rng.choice(("", ","))
            payoffs = [number(rng) + comma for _ in range(players)]
            outcomes[number_of] = [text(rng), "{", *payoffs, "}"]
        return [str(number_of), *(outcomes[number_of] if not known or rng.random() < 0.5 else [])]

    waiting = 1
    while waiting:
        waiting -= 1
        kind = rng.choice("cppt") if budget > 0 else "t"
        words += [kind, text(rng)]
        if kind != "t":
            who = (rng.randint(1, players) if kind == "p" else 0, rng.choice((1, 2, 3, 40, 500)))
            known = who in moves
            if not known:
                size = rng.randint(1, 3)
                labels = [text(rng) for _ in range(size)]
                if kind == "c":
                    labels = [part for pair in zip(labels, odds(rng, size), strict=True) for part in pair]
                moves[who] = size, [text(rng), "{", *labels, "}"]
            words += [str(part) for part in who[0 if kind == "p" else 1 :]]
            words += moves[who][1] if not known or rng.random() < 0.5 else []
            waiting += moves[who][0]
            budget -= moves[who][0]
        words += outcome()
    head = ["EFG", "2", rng.choice("RD"), text(rng), "{", *(text(rng) for _ in range(players)), "}"]
    return spaced(rng, head + ([text(rng)] if rng.random() < 0.3 else []) + words)


def some_nfg(rng):
    """A valid game in normal form, in one of its two versions."""
    sizes = [rng.randint(1, 3) for _ in range(rng.randint(1, 3))]
    cells = int(np.prod(sizes))
    head = ["NFG", "1", rng.choice("RD"), text(rng), "{", *(text(rng) for _ in sizes), "}", "{"]
    if rng.random() < 0.5:
        head += [str(size) for size in sizes]
    else:
        head += [word for size in sizes for word in ("{", *(text(rng) for _ in range(size)), "}")]
    head += ["}", *([text(rng)] if rng.random() < 0.3 else [])]
    if rng.random() < 0.5:
        return spaced(rng, head + [number(rng) for _ in range(cells * len(sizes))])
    outcomes = rng.randint(1, 4)
    listed = [word for _ in range(outcomes) for word in ("{", text(rng), *(number(rng) for _ in sizes), "}")]
    return spaced(rng, [*head, "{", *listed, "}", *(str(rng.randint(0, outcomes)) for _ in range(cells))])


def damaged(rng, data):
    """The bytes with one to four changes, of single bytes or of whole tokens."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if rng.random() < 0.5:
            at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
            byte = bytes([rng.choice((rng.randrange(256), *b'"{}\\ 0/e-,'))])
            data = rng.choice((
                data[:at] + byte + data[at:], data[:at] + byte + data[at + 1 :], data[:at] + data[at + 1 :], data[:at],
                data[:at] + data[end:], data[:end] + data[at:],
            ))  # fmt: skip
        else:
            words = data.split(b" ")
            at, other = rng.randrange(len(words)), rng.randrange(len(words))
            change = rng.randrange(4)
            if change == 0:
                words[at] = rng.choice(NASTY).encode()
            elif change == 1:
                words.insert(at, rng.choice(NASTY).encode())
            elif change == 2:
                words[at], words[other] = words[other], words[at]
            else:
                words[at:other] = words[other:at]
            data = b" ".join(words)
    return data


def a_file(rng):
    """A generated file, or what Ludus writes of one."""
    text = rng.choice((some_efg, some_efg, some_nfg))(rng)
    if text.startswith("EFG") and rng.random() < 0.3:
        text = write_efg(_read(text.encode(), "generated"), "as Ludus writes it")
    return text.encode()


def inputs(rng):
    """Endlessly files, one in ten as it is, the others damaged; one input in twenty brings a new file into the pool."""
    pool = [text.encode() for text in CORPUS]
    while True:
        if rng.random() < 0.05 or len(pool) < 50:
            fresh = a_file(rng)
            if len(pool) < 300:
                pool.append(fresh)
            else:
                pool[rng.randrange(len(CORPUS), 300)] = fresh
        data = rng.choice(pool)
        yield damaged(rng, data) if rng.random() < 0.9 else data


def same(one, other):
    """Whether two games are the same in all that a file holds."""
    if isinstance(one, NormalForm):
        return np.array_equal(one.payoff, other.payoff) and one[1:] == other[1:]
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)
        and one.labels[:2] == other.labels[:2]
        and [*map(one.labels.infoset, range(len(one.player)))] == [*map(other.labels.infoset, range(len(one.player)))]
        and one.perfect_recall == other.perfect_recall
    )


def attempt(data):
    """What became of reading the bytes: "refused" or "read". Raises where it is neither, or the game is not kept."""
    try:
        game = _read(data, "fuzz")
    except NotReadable:
        return "refused"
    told = write_nfg(game) if isinstance(game, NormalForm) else write_efg(game, "again")
    assert same(game, _read(told.encode(), "again")), "write and read changed the game"
    return "read"


def told(seeds):
    """All that generated trees hold, and what is said of damaged ones, in words."""
    lines = []
    for seed in seeds:
        rng = random.Random(seed)
        text = some_efg(rng)
        tree = _read(text.encode(), "sound")
        lines += [[getattr(tree, name).tolist() for name in ARRAYS], tree.labels[:2], tree.perfect_recall]
        try:
            _read(damaged(rng, text.encode()), "damaged")
        except NotReadable as error:
            lines.append(error)
    return "\n".join(map(str, lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    counts, slowest, start = Counter(), (0.0, b""), (time.perf_counter(), time.process_time())
    for data in islice(inputs(random.Random(asked.seed)), asked.inputs):
        before = time.perf_counter()
        try:
            counts[attempt(data)] += 1
        except Exception as error:
            counts[f"{type(error).__name__}: {error}"[:80]] += 1
            print(f"{type(error).__name__}: {error}\n  {data!r}", flush=True)
        slowest = max(slowest, (time.perf_counter() - before, data))
    wall, spent = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"{asked.inputs} inputs, seed {asked.seed}: {dict(counts)}, {wall:.0f} s, {spent:.0f} of CPU")
    print(f"slowest {slowest[0]:.3f} s: {slowest[1][:200]!r}")
    raise SystemExit(0 if set(counts) <= {"read", "refused"} else 1)


if __name__ == "__main__":
    main()
