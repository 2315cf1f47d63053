"""`ludus tournament` and `ludus replay`: everybody meets, and any game is told again.

A tournament is a folder that can be copied: tournament.json says what was asked, games.jsonl holds a checksummed line
per sitting, written as soon as it is played, and report.html is the page. Asking for the same thing again reads what is
there and plays the rest.
"""

import hashlib
import json as text_json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ludus import games as all_games
from ludus.cli.console import Mistake, console, front_door, print_json, print_table
from ludus.cli.players import seated
from ludus.game import Game
from ludus.measure.alpha_rank import sampled_alpha_rank
from ludus.measure.bradley_terry import Ratings, lead, rate
from ludus.measure.empirical_payoff import EmpiricalPayoff
from ludus.models.chat import BudgetSpent, ServerFailed
from ludus.pages.report import visible
from ludus.pages.tournament import write_page
from ludus.play import tell_episode
from ludus.records import Value
from ludus.study import disk, store
from ludus.tournament import (
    MOST_TABLES,
    Played,
    Results,
    Schedule,
    Sitting,
    against,
    hold,
    once,
    ranking,
    retrace,
    round_robin,
    seatings,
    swiss,
    tally,
    whole,
)

FORMAT = 1  # of the folder; part of what was asked
ASKED, LINES, PAGE = "tournament.json", "games.jsonl", "report.html"
TOURNAMENTS = Path("tournaments")
MOST_RANKED = 200  # members up to which alpha-rank is told: it takes time as their cube, for hundreds of tables
ELO = 400 / np.log(10)  # points of the Elo scale in one unit of a strength
SAVED_SECONDS = 1.0  # between two waits for the disk; a process that is killed loses nothing, a power cut so much
PLAIN_SECONDS = 15.0  # between two lines of progress where nobody watches a terminal
FAILED, STOPPED = 1, 130


def tournament(
    spec: str,
    players: Sequence[str],
    *,
    pool: Sequence[str],
    games: int,
    rounds: int | None,
    seed: int,
    jobs: int | None,
    out: Path | None,
    json: bool,
) -> int:
    """Hold a tournament, or go on with it, and tell what came of it; returns the exit code. Raises Mistake."""
    with front_door():
        game = all_games.load(spec)
    entered = _entered(players, pool)
    _check(game, list(entered), len(pool), games, rounds, seed, jobs)
    per_table = whole(game.players, games)
    names, challengers = list(entered), len(players)
    schedule, notes = _schedule(game, len(names), challengers, per_table, rounds, seed)
    if per_table != games:
        notes.append(f"{per_table} games per table, not {games}, so that each of the {len(seatings(game.players))} "
                     "seat orders is played equally often.")  # fmt: skip
    asked = {"format": FORMAT, "game": spec, "players": entered, "pool": len(pool), "rounds": rounds,
             "games": per_table, "seed": seed, "files": _files(entered.values())}  # fmt: skip
    folder = out or TOURNAMENTS / f"{re.sub(r'[^A-Za-z0-9.]+', '-', game.name).strip('-')}-{store.key_of(asked)}"
    with front_door():
        held = _read(folder, asked)
    count = partial(hold, game, schedule=schedule, games=per_table, seed=seed)
    try:
        results = count(players=dict.fromkeys(names, _nobody), kept=held)
    except _Unplayed:
        seats = {name: seated(game, what) for name, what in entered.items()}
        total = _total(game, len(names), challengers, per_table, rounds)
        held = []
        try:
            with front_door(), _kept(folder, asked, held) as keep, _shown(game, names, held, total) as show:

                def keep_and_show(played: Played) -> None:
                    keep(played)
                    show()

                results = count(players=seats, jobs=jobs or os.cpu_count() or 1, kept=list(held), keep=keep_and_show)
        except KeyboardInterrupt:
            print(f"Stopped; what was played is kept in {folder}.\n{_go_on()}", file=sys.stderr)
            return STOPPED
        except (ServerFailed, BudgetSpent) as fault:
            print(f"error: {' '.join(str(fault).split())} What was played is kept.\n{_go_on()}", file=sys.stderr)
            return FAILED
    answer = _answer(game, entered, results, held, seed, notes)
    answer |= {"folder": str(folder), "command": _command(asked, out)}
    with front_door():
        page = write_page(answer, _example(game, results, held, seed), folder / PAGE)
    answer["report"] = str(page)
    if json:
        print_json(answer)
    else:
        _tell(answer)
    return 0


def replay(folder: Path, number: int | None) -> None:
    """Tell one game of a tournament step by step, or list its games. Raises Mistake."""
    with front_door():
        asked = _asked(folder)
        if asked is None:
            raise Mistake(f"FOLDER: {folder} holds no tournament; `ludus tournament` says where it keeps one")
        held, game = sorted(_read(folder, asked), key=lambda played: played.sitting), all_games.load(asked["game"])
        names = list(asked["players"])
        text = "" if number is None else _told(game, names, held, number, asked["seed"])
    if number is None:
        _list_games(names, held)
        return
    steps = re.split(r"\n(?=player |payoff: )", text)
    watched = _watched()
    for step in steps[:-1]:
        print(step)
        if watched:
            try:
                input()
            except EOFError:
                watched = False
    print(steps[-1])


def _watched() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


# --- what was asked ---------------------------------------------------------------------------------------------------


def _entered(players: Sequence[str], pool: Sequence[str]) -> dict[str, str]:
    """name -> what it is, in order. NAME=PLAYER names one."""
    entered: dict[str, str] = {}
    for text in (*players, *pool):
        named = re.fullmatch(r"([\w.+-]+)=(.+)", text, re.DOTALL)
        name, what = named.groups() if named else (_name(text), text)
        if what == "human":
            raise Mistake(
                "PLAYER: human cannot enter, a tournament is many games at a time; `ludus play` seats a person"
            )
        if name in entered:
            raise Mistake(f"PLAYER: two are called {name!r}; name them, for example a={what} b={what}")
        entered[name] = what
    return entered


def _name(what: str) -> str:
    """What a player is called that nobody named: by its model, its file, or the word itself."""
    if what.startswith(("http://", "https://")):
        return what.partition("#")[2] or "default"
    return Path(what).stem if what.endswith(".json") else what


def _check(
    game: Game, names: list[str], pool: int, games: int, rounds: int | None, seed: int, jobs: int | None
) -> None:
    """Raises Mistake where such a tournament cannot be."""
    seats = game.players
    if seats < 2:
        raise Mistake(f"GAME: {game.name} has one seat, so nobody meets anybody; `ludus play` plays it")
    if len(names) < seats:
        raise Mistake(f"PLAYER: {game.name} has {seats} seats, {len(names)} player{'s' * (len(names) != 1)} entered; "
                      f"enter at least {seats} (one may enter twice: a=uniform b=uniform)")  # fmt: skip
    if 0 < pool < seats - 1:
        raise Mistake(f"--against: {game.name} has {seats} seats; give at least {seats - 1} of the pool, {pool} seen")
    if pool and rounds is not None:
        raise Mistake("--swiss: a Swiss tournament has no pool; leave out --against, or --swiss")
    if rounds is not None and seats != 2:
        raise Mistake(
            f"--swiss: for games with two seats, {game.name} has {seats}; leave it out: every table is played"
        )
    for option, number, least in (
        ("--games", games, 1),
        ("--swiss", rounds, 1),
        ("--seed", seed, 0),
        ("--jobs", jobs, 1),
    ):
        if number is not None and number < least:
            raise Mistake(f"{option}: {number} is none; write a number of at least {least}")


def _schedule(
    game: Game, members: int, challengers: int, games: int, rounds: int | None, seed: int
) -> tuple[Schedule, list[str]]:
    """Who meets whom, and what to say of it."""
    if rounds is not None:
        fair = (
            " Of an odd number one sits out each round, which scores nothing and costs nothing." if members % 2 else ""
        )
        return swiss(rounds, games, seed), [f"Swiss, {rounds} round{'s' * (rounds > 1)}: neighbours in the standings "
                                            f"meet, and nobody twice while that can be avoided.{fair}"]  # fmt: skip
    if challengers < members:
        tables = against(challengers, members - challengers, game.players)
        if len(tables) > MOST_TABLES:
            raise Mistake(f"--against: {len(tables):,} tables are more than {MOST_TABLES:,}; give a smaller pool")
        return once(tables), ["Against a pool: its members meet the challengers, and not one another."]
    tables, every = round_robin(members, game.players, seed), comb(members, game.players)
    if len(tables) < every:
        return once(tables), [f"A sample of {len(tables):,} of all {every:,} tables, drawn by the seed."]
    return once(tables), ["Round robin: everybody meets everybody."]


def _total(game: Game, members: int, challengers: int, games: int, rounds: int | None) -> int:
    """How many games the whole tournament has."""
    if rounds is not None:
        return rounds * (members // 2) * games
    pool = members - challengers
    tables = challengers * comb(pool, game.players - 1) if pool else comb(members, game.players)
    return min(tables, MOST_TABLES) * games


def _files(whats: Any) -> dict[str, str]:
    """A policy file is part of the question: its bytes' hash by its path, where there is one."""
    paths = [Path(what) for what in whats if what.endswith(".json")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


class _Unplayed(Exception):
    """Somebody was asked to play: not all is on the disk yet."""


def _nobody(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
    raise _Unplayed


# --- the folder -------------------------------------------------------------------------------------------------------


def _asked(folder: Path) -> dict[str, Any] | None:
    """What tournament.json says was asked, None where there is none. Raises Mistake where it cannot be read."""
    try:
        asked = text_json.loads((folder / ASKED).read_bytes())["asked"]
        if asked["format"] != FORMAT:
            raise Mistake(f"{folder} is of format {asked['format']}; this version of Ludus reads format {FORMAT}")
        return asked
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as fault:
        raise Mistake(
            f"{folder / ASKED} is damaged ({fault}); bring it back from a copy, or delete {folder}"
        ) from fault


def _read(folder: Path, asked: dict[str, Any]) -> list[Played]:
    """What has been played. Raises Mistake where the folder is another tournament's or no tournament's."""
    there = _asked(folder)
    if there is not None and there != asked:
        differs = ", ".join(name for name in asked if there.get(name) != asked[name])
        raise Mistake(f"--out: {folder} holds another tournament of {there['game']} (not the same {differs}); choose "
                      "another folder")  # fmt: skip
    if there is None and folder.exists() and not (folder.is_dir() and _empty(folder)):
        raise Mistake(f"--out: {folder} holds something else; choose a folder that is empty or not there yet")
    bodies, _ = disk.read_lines(folder / LINES)
    try:
        return [_from_line(body) for body in bodies]
    except (KeyError, TypeError, ValueError) as fault:
        raise Mistake(f"{folder / LINES} holds no sittings ({fault!r}); bring it back from a copy") from fault


def _empty(folder: Path) -> bool:
    """Nothing in it, but for what a tournament leaves that was killed before it wrote a word."""
    return all(path.name.endswith((".lock", ".draft")) for path in folder.iterdir())


@contextmanager
def _kept(folder: Path, asked: dict[str, Any], held: list[Played]) -> Iterator[Callable[[Played], None]]:
    """What to call with every sitting: it goes to the disk and into `held`, where those read already are."""
    try:
        disk.make_folder(folder)
        lock = disk.lock(folder / ".lock")
    except disk.StoreError as fault:
        raise Mistake(f"--out: {_without_advice(fault)}") from fault
    file = None
    try:
        held += _read(folder, asked)
        if not (folder / ASKED).exists():
            stored = {"asked": asked, "versions": store.versions()}
            disk.write_whole(folder / ASKED, text_json.dumps(stored, indent=1).encode())
        _, ends = disk.read_lines(folder / LINES)
        file = os.open(folder / LINES, os.O_RDWR | os.O_CREAT, 0o666)
        end, saved = ends[-1] if ends else 0, 0.0
        os.ftruncate(file, end)  # a line that was cut short

        def keep(played: Played) -> None:
            nonlocal end, saved
            line = disk.line_of(_line(played))
            try:
                os.lseek(file, end, os.SEEK_SET)
                disk.write_all(file, line)
                if time.monotonic() - saved > SAVED_SECONDS:
                    os.fsync(file)
                    saved = time.monotonic()
            except OSError as fault:
                os.ftruncate(file, end)
                raise disk.refuse("write", folder / LINES, fault) from fault
            end += len(line)
            held.append(played)

        yield keep
    finally:
        if file is not None:
            os.fsync(file)
            os.close(file)
        disk.unlock(lock)


def _without_advice(fault: disk.StoreError) -> str:
    """The store's advice names an option of `ludus run`."""
    return re.sub(r"Choose a folder that can be written.*", "Choose a folder that can be written.", str(fault))


def _line(played: Played) -> dict[str, Any]:
    return {
        "round": played.sitting.round,
        "seats": list(played.sitting.seats),
        "payoff": played.payoff.tolist(),
        "length": played.length.tolist(),
        "action": played.action.tolist(),
        "answers": list(played.answers),
        "texts": played.texts,
    }


def _from_line(body: dict[str, Any]) -> Played:
    payoff, seats = np.array(body["payoff"], np.float64), tuple(map(int, body["seats"]))
    length, action = np.array(body["length"], np.int64), np.array(body["action"], np.int64)
    answers = tuple({str(kind): int(count) for kind, count in one.items()} for one in body["answers"])
    texts = {str(name): list(map(str, texts)) for name, texts in body["texts"].items()}
    lists = [len(action), *map(len, texts.values())]
    if payoff.shape != (len(length), len(seats)) or len(answers) != len(seats) or set(lists) != {length.sum()}:
        raise ValueError("its lists do not fit together")
    return Played(Sitting(int(body["round"]), seats, len(length)), payoff, length, action, answers, texts)


# --- what came of it --------------------------------------------------------------------------------------------------


def _answer(
    game: Game,
    entered: dict[str, str],
    results: Results,
    held: Sequence[Played],
    seed: int,
    notes: list[str],
) -> dict[str, Any]:
    """Everything there is to say, as `--json` prints it; tables are in the order of the standings."""
    names, order = list(entered), ranking(results)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0)))  # no sitting's, no schedule's key
    ratings = rate(results.wins.astype(float), results.ties.astype(float), rng)
    masses = _masses(game, results, rng)
    if game.players > 2:
        notes = [*notes, f"A game of {game.players} counts as {comb(game.players, 2)} meetings of two; the intervals "
                         "of ratings take these as independent."]  # fmt: skip
    notes = [*notes, *_leads(results, ratings)]
    if any(results.answers):
        notes = [*notes, "Where a reply holds no legal action, a legal one drawn at random is played in its place."]

    def square(table: np.ndarray) -> list[list[Any]]:
        return table[np.ix_(order, order)].tolist()

    lines = sorted((played.sitting, disk.line_of(_line(played))) for played in held)
    return {
        "game": game.name,
        "seats": game.players,
        "seed": seed,
        "games_per_table": len(held[0].payoff) * len(seatings(game.players)),
        "games": int(sum(len(played.payoff) for played in held)),
        "notes": notes,
        "standings": [
            _standing(names, entered, results, ratings, masses, rank, member) for rank, member in enumerate(order, 1)
        ],
        "payoff": square(results.population.payoff),
        "met": square(results.population.games),
        "wins": square(results.wins),
        "ties": square(results.ties),
        "sittings": _sittings(names, held),
        "hash": hashlib.sha256(b"".join(line for _, line in lines)).hexdigest()[:16],
    }


def _standing(
    names: list[str],
    entered: dict[str, str],
    results: Results,
    ratings: Ratings,
    masses: list[Value] | None,
    rank: int,
    member: int,
) -> dict[str, Any]:
    interval = results.interval[member]
    games = int(results.games[member])
    return {
        "rank": rank,
        "name": names[member],
        "player": entered[names[member]],
        "games": games,
        "payoff": Value(
            float(results.mean[member]),
            "sampled",
            (float(interval[0]), float(interval[1])) if np.isfinite(interval).all() else None,
            f"mean of {games} games, Student's 95% interval",
        ),
        "won": int(results.wins[member].sum()),
        "tied": int(results.ties[member].sum()),
        "lost": int(results.wins[:, member].sum()),
        "rating": Value(
            float(ELO * ratings.strength[member]),
            "sampled",
            (float(ELO * ratings.interval[member, 0]), float(ELO * ratings.interval[member, 1])),
            f"{ratings.method}; Elo points, mean zero within the group",
        ),
        "group": int(ratings.component[member]) + 1,
        "alpha_rank": None if masses is None else masses[member],
        "answers": results.answers[member],
    }


def _masses(game: Game, results: Results, rng: np.random.Generator) -> list[Value] | None:
    """Alpha-rank of one population that plays the members; None unless each pair of a game for two met twice."""
    games, others = results.population.games, ~np.eye(len(results.games), dtype=bool)
    if game.players > 2 or (games[others] < 2).any() or len(games) > MOST_RANKED:
        return None
    table = EmpiricalPayoff(
        np.where(others, results.population.payoff, 0.0), np.where(others, results.variance, 0.0), np.maximum(games, 2)
    )
    ranked = sampled_alpha_rank(table, rng)
    assert ranked.interval is not None
    return [
        Value(float(mass), ranked.kind, (float(low), float(high)), ranked.method)
        for mass, (low, high) in zip(ranked.mass, ranked.interval, strict=True)
    ]


def _leads(results: Results, ratings: Ratings) -> list[str]:
    """How far the groups are apart, where they can be told apart only by games that one side always won."""
    count = int(ratings.component.max()) + 1
    if count == 1:
        return []
    said = [f"Ratings compare within a group only: there are {count}, and a group won every game it decided against a "
            "later one."]  # fmt: skip
    wins, ties = results.wins.astype(float), results.ties.astype(float)
    for above in range(count - 1):
        try:
            low = lead(wins, ties, ratings, above, above + 1).interval
        except ValueError:  # they never met
            continue
        assert low is not None
        said.append(f"Group {above + 1} stands at least {ELO * low[0]:.0f} Elo points above group {above + 2} (95%).")
    return said


def _sittings(names: list[str], held: Sequence[Played]) -> list[dict[str, Any]]:
    """Who sat where in which games; games are numbered through, as `ludus replay --game` takes them."""
    ordered = sorted(held, key=lambda played: played.sitting)
    ends = list(accumulate(len(played.payoff) for played in ordered))
    return [
        {
            "round": played.sitting.round,
            "seats": [names[member] for member in played.sitting.seats],
            "first": end - len(played.payoff),
            "last": end - 1,
            "payoff": [float(mean) for mean in played.payoff.mean(axis=0)],
        }
        for played, end in zip(ordered, ends, strict=True)
    ]


def _told(game: Game, names: list[str], held: Sequence[Played], number: int, seed: int) -> str:
    """A game in words, by its number."""
    start = 0
    for played in sorted(held, key=lambda played: played.sitting):
        if 0 <= number - start < len(played.payoff):
            seats = ", ".join(f"player {seat} is {names[member]}" for seat, member in enumerate(played.sitting.seats))
            text = tell_episode(game, retrace(game, played, seed), number - start)
            return visible(f"Game {number} of {game.name}: {seats}.\n{text}")
        start += len(played.payoff)
    raise Mistake(f"--game: there are {start:,} games, numbered from 0; {number} is none of them")


def _example(game: Game, results: Results, held: Sequence[Played], seed: int) -> str:
    """The longest game between the first of the standings and the best whom it met, in the first seats they took."""
    order = ranking(results)
    rank = {member: place for place, member in enumerate(order)}
    start = 0
    found: list[tuple[tuple[int, ...], int]] = []
    for played in sorted(held, key=lambda played: played.sitting):
        seats = played.sitting.seats
        if order[0] in seats:
            found.append((tuple(sorted(rank[member] for member in seats)), start + int(played.length.argmax())))
        start += len(played.payoff)
    return _told(game, results.population.genomes, held, min(found)[1], seed)


def _command(asked: dict[str, Any], out: Path | None) -> str:
    """The words that ask for this tournament."""
    entered = [what if name == _name(what) else f"{name}={what}" for name, what in asked["players"].items()]
    first = len(entered) - asked["pool"]
    words = ["ludus", "tournament", asked["game"], *entered[:first]]
    words += [word for one in entered[first:] for word in ("--against", one)]
    words += ["--games", str(asked["games"])]
    words += [] if asked["rounds"] is None else ["--swiss", str(asked["rounds"])]
    words += ["--seed", str(asked["seed"])]
    return shlex.join(words if out is None else [*words, "--out", str(out)])


def _go_on() -> str:
    return f"Go on with: {shlex.join(['ludus', *sys.argv[1:]])}"


# --- at the console ---------------------------------------------------------------------------------------------------


def _tell(answer: dict[str, Any]) -> None:
    standings = answer["standings"]
    columns = ["", "player", "payoff", "95% interval", "games", "won", "tied", "lost"]
    rows = [
        (one["rank"], one["name"], f"{one['payoff'].number:+.4f}", _between(one["payoff"], "+.4f"),
         one["games"], one["won"], one["tied"], one["lost"])
        for one in standings
    ]  # fmt: skip
    print_table(columns, rows, right=[columns[0], columns[2], *columns[4:]])
    print()
    _tell_strengths(standings)
    console().print("\nPayoff of the row in games with the column, by rank")
    console().print(_heat(answer))
    talkers = [one for one in standings if one["answers"]]
    if talkers:
        others = {kind for one in talkers for kind in one["answers"]} - {"legal", "illegal"}
        kinds = ["legal", "illegal", *sorted(others)]
        print("\nAnswers of those who write: legal, illegal, or none for some reason")
        counts = [[one["answers"].get(kind, 0) for kind in kinds] for one in talkers]
        told = [(one["name"], sum(count), *count) for one, count in zip(talkers, counts, strict=True)]
        print_table(["player", "decisions", *kinds], told, right=["decisions", *kinds])
    print()
    for note in answer["notes"]:
        print(note)
    folder = shlex.quote(answer["folder"])
    print(f"\ngames   {answer['games']:,}, seed {answer['seed']}; tell one: ludus replay {folder} --game 0")
    print(f"hash    {answer['hash']}")
    print(f"report  {answer['report']}")


def _tell_strengths(standings: Sequence[dict[str, Any]]) -> None:
    """Ratings and alpha-rank, the groups of ratings where there are several."""
    rated = sorted(standings, key=lambda one: (one["group"], -one["rating"].number))
    lines = [
        {
            "group": one["group"],
            "player": one["name"],
            "rating": f"{one['rating'].number:+.0f}",
            "95% interval": _between(one["rating"], "+.0f"),
            "alpha-rank": "" if one["alpha_rank"] is None else f"{one['alpha_rank'].number:.2f}",
            "its 95% interval": "" if one["alpha_rank"] is None else _between(one["alpha_rank"], ".2f"),
        }
        for one in rated
    ]
    left_out = [] if len({one["group"] for one in standings}) > 1 else ["group"]
    left_out += ["alpha-rank", "its 95% interval"] if standings[0]["alpha_rank"] is None else []
    columns = [name for name in lines[0] if name not in left_out]
    right = [name for name in ("group", "rating", "alpha-rank") if name in columns]
    print_table(columns, [[line[name] for name in columns] for line in lines], right=right)


def _between(value: Value, form: str) -> str:
    if value.interval is None:
        return "-"
    low, high = value.interval
    if not (np.isfinite(low) and np.isfinite(high)):
        return "unbounded"
    return f"{low:{form}} to {high:{form}}"


def _heat(answer: dict[str, Any]) -> Table:
    """The payoff matrix; on a terminal the ground of a cell says how much is won (blue) or lost (red)."""
    payoff = np.array(answer["payoff"], float)
    most = np.nanmax(np.abs(payoff)) or 1.0
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("")
    for rank in range(1, len(payoff) + 1):
        table.add_column(str(rank), justify="right")
    for one, row in zip(answer["standings"], payoff, strict=True):
        cells = [
            Text("") if np.isnan(paid) else Text(f"{paid:+.3g}" if paid else "0", _ground(paid / most)) for paid in row
        ]  # fmt: skip
        table.add_row(Text(f"{one['rank']} {one['name']}"), *cells)
    return table


def _ground(share: float) -> str:
    """A colour for a share in [-1, 1]: from grey towards blue or red."""
    strong, weak = round(40 + 140 * abs(share)), round(40 + 20 * abs(share))
    return f"white on rgb({weak},{weak + 20},{strong})" if share >= 0 else f"white on rgb({strong},{weak},{weak})"


def _list_games(names: list[str], held: Sequence[Played]) -> None:
    rows = [
        (f"{one['first']} to {one['last']}", one["round"], ", ".join(one["seats"]),
         ", ".join(f"{paid:+.3g}" for paid in one["payoff"]))
        for one in _sittings(names, held)
    ]  # fmt: skip
    print_table(["games", "round", "seats, the first first", "payoffs per game"], rows)
    print("\nTell one with --game N.")


@contextmanager
def _shown(game: Game, names: list[str], held: list[Played], total: int) -> Iterator[Callable[[], None]]:
    """What to call after every sitting: live standings on a terminal, plain lines elsewhere. All on standard error."""
    out = console(stderr=True)
    last = 0.0
    if out.is_terminal:
        with Live(console=out, refresh_per_second=4, transient=True) as live:

            def draw() -> None:
                nonlocal last
                if time.monotonic() - last >= 0.25:
                    last = time.monotonic()
                    live.update(_picture(names, held, total))

            yield draw
        return

    def line() -> None:
        nonlocal last
        played = _played(held)
        if (time.monotonic() - last >= PLAIN_SECONDS and played) or played == total:
            last = time.monotonic()
            print(f"{game.name}: {played:,} of {total:,} games", file=sys.stderr, flush=True)

    yield line


def _played(held: Sequence[Played]) -> int:
    return sum(len(one.payoff) for one in held)


def _picture(names: list[str], held: Sequence[Played], total: int) -> Group:
    results, played = tally(names, held), _played(held)
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=total, completed=played, width=30), f"{played:,} of {total:,} games")
    standings = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("", "player", "payoff", "games", "won", "tied", "lost"):
        standings.add_column(name, justify="left" if name == "player" else "right")
    for rank, member in enumerate(ranking(results), 1):
        paid = results.mean[member]
        counts = (results.games[member], results.wins[member].sum(), results.ties[member].sum(),
                  results.wins[:, member].sum())  # fmt: skip
        standings.add_row(str(rank), Text(names[member]), "" if np.isnan(paid) else f"{paid:+.4f}", *map(str, counts))
    return Group(bar, standings)
