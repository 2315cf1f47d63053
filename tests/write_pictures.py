"""The pictures of the pages in docs, drawn from what the code computes: `python -m tests.write_pictures`.

One SVG per page in docs/pictures, with its own colours for light and dark. tests/test_docs.py draws them again and
compares, so a solver that moves is seen. Look at a picture before committing it.
"""

import re
from pathlib import Path

import numpy as np
from markupsafe import Markup

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.measure.bradley_terry import rate
from ludus.measure.nash_conv import nash_conv
from ludus.normal_form import bimatrix
from ludus.pages import charts
from ludus.solve.best_response import evaluate, values
from ludus.solve.cfr import cfr, cfr_plus
from ludus.solve.discounted_cfr import discounted_cfr
from ludus.solve.logit import quantal_response
from ludus.solve.predictive_cfr import predictive_cfr_plus
from ludus.solve.sequence_form import fold
from ludus.solve.sequence_lp import sequence_lp
from ludus.tree import grow

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
WIDTH = 760
STYLE = """
svg { --paper: #fcfbf8; --ink: #1f1e1b; --soft: #67645b; --rule: #e3dfd3; --strong: #b9b4a5; --control: #77746b;
  --c0: #1f66ad; --c1: #c24e0c; --c2: #0f7d61; --c3: #a8417f; font: 13px system-ui, "Liberation Sans", sans-serif; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #15161a; --ink: #e7e4dd; --soft: #a19d92; --rule: #2e3036; --strong: #5a5c63; --control: #96938a;
    --c0: #6cb2f2; --c1: #ff9257; --c2: #4fcfa6; --c3: #ec93c9; } }
.plot { overflow: visible; } .paper { fill: var(--paper); }
text { fill: var(--soft); } .title { fill: var(--ink); font-size: 15px; font-weight: 600; }
.tick { font-size: 12px; } .tick.up { text-anchor: end; } .middle { text-anchor: middle; }
.rule { stroke: var(--rule); } .rule.zero, .branch { stroke: var(--strong); }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.line.colour-2 { stroke-dasharray: 14 4; } .line.control { stroke-dasharray: 5 5; }
.end { fill: var(--soft); } .dot, text.name { fill: currentColor; } text.name { font-weight: 600; }
.colour-0 { color: var(--c0); } .colour-1 { color: var(--c1); } .colour-2 { color: var(--c2); }
.colour-3 { color: var(--c3); } .control { color: var(--control); }
"""


def page(title: str, height: int, content: Markup) -> str:
    """A file of its own: title, paper and style around the content."""
    whole = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" role="img" aria-label="{2}"><style>{3}</style>'
        '<rect class="paper" width="{0}" height="{1}" rx="8"/><text class="title" x="20" y="28">{2}</text>{4}</svg>\n'
    )
    return str(whole.format(WIDTH, height, title, Markup(STYLE), content))


def plot(title: str, up: str, across: str, curves: dict[str, tuple[str, np.ndarray, np.ndarray]]) -> str:
    """Curves {name: (colour, step, value)} under a title, with words on both axes."""
    series = []
    for name, (colour, step, value) in curves.items():
        none = np.full(len(step), np.nan)
        series.append(charts.Series(name, colour, step, value, none, none, np.ones(len(step), np.int64)))
    frame = Markup(
        '<text x="20" y="50">{}</text><text class="middle" x="330" y="352">{}</text>'
        '<svg x="70" y="68" width="520" height="240" overflow="visible">{}</svg>'
    )
    drawn = re.sub(
        r'<circle class="hit.*?</circle>', "", charts.curves(series, title)
    )  # a still picture has no pointer
    return page(title, 368, frame.format(up, across, Markup(drawn)))


# --- one function a picture -------------------------------------------------------------------------------------------


def trees() -> str:
    """Kuhn poker: all its histories, and below them the two trees of own moves they fold into."""
    tree = grow(load("kuhn_poker"))
    form = fold(tree)
    colours = {CHANCE: "control", OVER: "", 0: "colour-0", 1: "colour-1"}
    depth = np.zeros(len(tree.turn))
    for node in range(1, len(tree.turn)):
        depth[node] = depth[tree.parent[node]] + 1
    x = _spread(tree.parent) * (WIDTH - 60) + 30
    parts = [_branches(tree.parent, x, 84 + 34 * depth, [colours[int(turn)] for turn in tree.turn])]
    heads = [(56, f"the tree: {len(tree.turn)} histories; chance, player 0, player 1, ends", "")]
    for player in range(2):
        sequences = np.arange(form.root[player], form.root[player + 1])
        before = np.full(len(sequences), -1)
        level = np.zeros(len(sequences))
        for first, place, count, actions in form.group[form.first_group[player] : form.first_group[player + 1]]:
            for a in range(int(actions)):
                for i in range(int(count)):
                    s = int(first) + a * int(count) + i - int(form.root[player])
                    before[s] = int(form.parent[int(place) + i]) - int(form.root[player])
                    level[s] = level[before[s]] + 1
        words = [divmod(int(cell), len(tree.labels.actions)) for cell in form.cell[sequences]]  # (infoset, action)
        at = _spread(before, sorted(range(len(words)), key=lambda s: words[s])) * (WIDTH - 100) + 50
        top = 330 + 190 * player
        parts.append(_branches(before, at, top + 50 * level, [f"colour-{player}"] * len(sequences)))
        for s in range(1, len(sequences)):
            seen, done = tree.labels.infoset(words[s][0]), tree.labels.actions[words[s][1]]
            if s in before:  # beside a sequence that goes on, below one that ends
                text = Markup('<text class="tick up" x="{:.1f}" y="{:.1f}">{} → {}</text>')
                parts.append(text.format(at[s] - 10, top + 50 * level[s] + 4, seen, done))
            else:
                text = Markup('<text class="tick middle" y="{1:.1f}"><tspan x="{0:.1f}">{2}</tspan>')
                text += Markup('<tspan x="{0:.1f}" dy="14">→ {3}</tspan></text>')
                parts.append(text.format(at[s], top + 50 * level[s] + 18, seen, done))
        heads.append((top - 14, f"the {len(sequences)} sequences of player {player}", f"name colour-{player}"))
    for y, words, kind in heads:
        parts.append(Markup('<text class="{}" x="20" y="{}">{}</text>').format(kind, y, words))
    return page("Kuhn poker, unrolled and folded", 630, Markup("").join(parts))


def _spread(parent: np.ndarray, rank: list[int] | None = None) -> np.ndarray:
    """Places from 0 to 1: leaves evenly, siblings in the order of `rank`, a parent in the middle of its children."""
    children: list[list[int]] = [[] for _ in parent]
    for node in rank or range(len(parent)):
        if parent[node] >= 0:
            children[parent[node]].append(node)
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        stack += children[node][::-1]
    at = np.zeros(len(parent))
    leaves = [node for node in order if not children[node]]
    at[leaves] = np.linspace(0, 1, len(leaves))
    for node in order[::-1]:
        if children[node]:
            at[node] = np.mean(at[children[node]])
    return at


def _branches(parent: np.ndarray, x: np.ndarray, y: np.ndarray, colours: list[str]) -> Markup:
    line = Markup('<line class="branch" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    dot = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>')
    parts = [line.format(x[p], y[p], x[n], y[n]) for n, p in enumerate(parent) if p >= 0]
    parts += [
        dot.format(f"dot {colour}" if colour else "end", a, b, 4 if colour else 2)
        for a, b, colour in zip(x, y, colours, strict=True)
    ]
    return Markup("").join(parts)


def best_response() -> str:
    """Kuhn poker: what each player could gain as play moves from uniform to an equilibrium."""
    tree = grow(load("kuhn_poker"))
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    equilibrium = sequence_lp(tree).profiles[0]
    shares = np.linspace(0, 1, 41)
    gains = []
    for share in shares:
        table = (1 - share) * uniform + share * equilibrium
        gains.append(evaluate(tree, table)[1] - values(tree, table))
    gain = np.maximum(gains, 0)  # rounding at the equilibrium
    curves = {
        "NashConv": ("colour-2", shares, gain.sum(axis=1)),
        "player 0": ("colour-0", shares, gain[:, 0]),
        "player 1": ("colour-1", shares, gain[:, 1]),
    }
    words = "share of the equilibrium in every infoset; the rest is uniform"
    return plot("Kuhn poker: what a best response gains", "gain in antes", words, curves)


def regret_minimisation() -> str:
    """Leduc poker: NashConv of the average strategy against iterations."""
    tree = grow(load("leduc_poker"))
    points = np.unique(np.geomspace(1, 1000, 40).round().astype(int))
    solvers = {"CFR": cfr, "CFR+": cfr_plus, "discounted CFR": discounted_cfr, "predictive CFR+": predictive_cfr_plus}
    curves = {}
    for k, (name, solver) in enumerate(solvers.items()):
        curve: list[float] = []
        solver(tree, 1000, checkpoints=points, watch=lambda now, to=curve: to.append(_gap(tree, now.average)))
        curves[name] = (f"colour-{k}", points.astype(float), np.array(curve))
    return plot("Leduc poker: NashConv of the average strategy", "antes, both axes logarithmic", "iterations", curves)


def _gap(tree, table) -> float:
    return nash_conv(tree, table).number


def linear_programs() -> str:
    """Kuhn poker: the value of the linear program between what each player's CFR average secures."""
    tree = grow(load("kuhn_poker"))
    value = float(sequence_lp(tree).payoffs[0, 0])
    points = np.unique(np.geomspace(1, 1000, 40).round().astype(int))
    best: list[np.ndarray] = []
    cfr(tree, 1000, checkpoints=points, watch=lambda now: best.append(evaluate(tree, now.average)[1]))
    steps, bound = points.astype(float), np.array(best)
    curves = {
        "held by player 1": ("colour-1", steps, bound[:, 0]),
        "the program's value": ("control", steps, np.full(len(steps), value)),
        "secured by player 0": ("colour-0", steps, -bound[:, 1]),
    }
    title = "Kuhn poker: two bounds close on the value −1/18"
    return plot(title, "payoff of player 0, in antes", "iterations of CFR, logarithmic", curves)


def quantal_response_path() -> str:
    """Asymmetric matching pennies: logit equilibria as rationality grows."""
    form = bimatrix(np.array([[9, 0], [0, 1]]), np.array([[0, 1], [1, 0]]))
    lines = np.geomspace(0.01, 100, 41)
    heads = np.array([[mix[0] for mix in quantal_response(form, line).profile] for line in lines])
    curves = {"matcher: heads": ("colour-0", lines, heads[:, 0]), "mismatcher: heads": ("colour-1", lines, heads[:, 1])}
    title = "Matching pennies where matching heads pays 9"
    return plot(title, "probability", "rationality λ per unit of payoff, logarithmic", curves)


def ratings() -> str:
    """The rating of one of six players and its interval, as one tournament goes on."""
    rng, truth = np.random.default_rng(0), np.linspace(-1, 1, 6)
    chance, most = 1 / (1 + np.exp(truth[None] - truth[:, None])), 512
    won = np.cumsum(np.triu(rng.random((most, 6, 6)) < chance, 1), axis=0)
    played, ends = 2 ** np.arange(2, 10), []
    for games in played:
        ahead = won[games - 1]
        found = rate(ahead + np.tril(games - ahead.T, -1), None, rng, 1000)
        ends.append((found.interval[5, 1], found.strength[5], found.interval[5, 0], truth[5]))
    upper, middle, lower, true = np.array(ends).T
    curves = {
        "upper end": ("colour-1", played, upper),
        "strength": ("colour-0", played, middle),
        "lower end": ("colour-1", played, lower),
        "true strength": ("control", played, true),
    }
    title = "The best of six players, as a tournament goes on"
    return plot(title, "strength, natural logarithm", "games of each pair, logarithmic", curves)


PICTURES = {
    "trees": trees,
    "best-response": best_response,
    "regret-minimisation": regret_minimisation,
    "linear-programs": linear_programs,
    "quantal-response": quantal_response_path,
    "ratings": ratings,
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw(), encoding="utf-8")
