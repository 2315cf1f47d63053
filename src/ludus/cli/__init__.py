"""The command line: parse, call, print.

Here stand the commands with their options and nothing else, so that `ludus --help` loads nothing else; each imports its
room when it is called. Exit codes: 0 an answer, whatever it says; 1 a cell of a study crashed, or a checked game breaks
a law; 2 a mistake in what was asked, told in one line; 130 stopped by the person.
"""

import gc
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

app = typer.Typer(
    name="ludus",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes and colours would take help three times as long
    context_settings={"max_content_width": 100},
)

_checks = typer.Typer(help="Hold something of yours against the laws that ours keeps.")
app.add_typer(_checks, name="check")

Json = Annotated[bool, Option("--json", help="Print JSON instead of words.")]
Device = Annotated[str, Option("--device", metavar="NAME", help="Where transformers live: cpu, cuda or cuda:N.")]
Runs = Annotated[Path, Option("--runs", metavar="DIR", help="The folder that holds the runs.")]


def main() -> None:
    """The `ludus` command. Ends the process."""
    gc.set_threshold(100_000)  # rooms make many objects when imported, and all stay: looking for garbage took 0.1 s
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except typer.Abort:
        code = 130
    except Exception as fault:
        message = _mistake(fault)
        if message is None:
            raise
        print("error:", " ".join(message.split()), file=sys.stderr)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _mistake(fault: Exception) -> str | None:
    """The line to print where the fault is in what was asked, None where it is ours."""
    if hasattr(fault, "format_message"):  # what typer says of options; its class is public in some versions only
        told = fault.format_message().rstrip(".")
        end = "" if told.endswith("?") else "."
        return f"{told}{end} Write `{shlex.join(_asked_for_help())}` to see what is possible."
    from ludus.cli.console import Mistake

    return str(fault) if isinstance(fault, Mistake) else None


def _asked_for_help() -> list[str]:
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    known = {info.name for info in app.registered_commands} | {info.name for info in app.registered_groups}
    return ["ludus", command, "--help"] if command in known and command is not None else ["ludus", "--help"]


@app.callback(invoke_without_command=True)
def _help(context: typer.Context) -> None:
    """A laboratory for agents that improve themselves: papers you can run, yardsticks that do not lie."""
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


@app.command("run")
def _run(
    study: Annotated[
        str, Argument(metavar="SLUG|FILE", help="A recipe's slug, or a recipe file such as ./my_study.py.")
    ],
    arm: Annotated[
        list[str] | None, Option("--arm", metavar="NAME", help="Run this arm only; repeat for several.")
    ] = None,
    seeds: Annotated[
        int | None, Option("--seeds", metavar="N", help="How many seeds; the recipe says, unless given.")
    ] = None,
    root_seed: Annotated[int, Option("--root-seed", metavar="N", help="Draw all seeds afresh from another root.")] = 0,
    set_: Annotated[
        list[str] | None, Option("--set", metavar="NAME=VALUE", help="Replace a setting in every arm; repeatable.")
    ] = None,
    jobs: Annotated[
        int | None, Option("--jobs", metavar="N", help="Cells at a time; as many as there are cores, unless given.")
    ] = None,
    ray: Annotated[
        str, Option("--ray", metavar="ADDRESS", help="Run the cells on this Ray cluster; auto for the one at hand.")
    ] = "",
    device: Device = "cpu",
    quick: Annotated[
        bool, Option("--quick", help="The smallest honest run: it shows the way, never a verdict.")
    ] = False,
    agent: Annotated[
        str,
        Option("--agent", metavar="URL#MODEL", help="Ask this model for the claims that need a real one."),
    ] = "",
    record: Annotated[
        bool, Option("--record", help="Keep the verdicts in results/, as the catalogue shows them.")
    ] = False,
    fresh: Annotated[
        bool, Option("--fresh", help="Drop what is stored for this very question, and run it again.")
    ] = False,
    runs: Runs = Path("runs"),
    json: Annotated[bool, Option("--json", help="Print verdicts, rows' path and result hash as JSON.")] = False,
) -> None:
    """Run a paper's study, or go on with it: verdicts and a page."""
    from ludus.cli.studies import run

    raise typer.Exit(
        run(
            study,
            arms=arm or [],
            seeds=seeds,
            root_seed=root_seed,
            settings=set_ or [],
            jobs=jobs,
            ray=ray,
            device=device,
            quick=quick,
            agent=agent,
            to_record=record,
            fresh=fresh,
            runs=runs,
            json=json,
        )
    )


@app.command("compare")
def _compare(
    recipes: Annotated[
        list[str], Argument(metavar="RECIPE...", help="Slugs or recipe files that improve a model by itself.")
    ],
    set_: Annotated[
        list[str] | None,
        Option(
            "--set",
            metavar="NAME=VALUE",
            help="task, level, width, budget or another setting, for all; the first recipe says, unless given.",
        ),
    ] = None,
    seeds: Annotated[
        int | None, Option("--seeds", metavar="N", help="How many; the most that a recipe asks for, unless given.")
    ] = None,
    root_seed: Annotated[int, Option("--root-seed", metavar="N", help="Draw all seeds afresh from another root.")] = 0,
    jobs: Annotated[
        int | None, Option("--jobs", metavar="N", help="Cells at a time; as many as there are cores, unless given.")
    ] = None,
    device: Device = "cpu",
    quick: Annotated[bool, Option("--quick", help="The smallest honest runs: they show the way, no more.")] = False,
    out: Annotated[
        Path | None, Option("--out", metavar="FILE", help="The page; one in the folder of the runs, unless given.")
    ] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Compare recipes at one task, base model and budget."""
    from ludus.cli.compare import compare

    raise typer.Exit(
        compare(
            recipes,
            settings=set_ or [],
            seeds=seeds,
            root_seed=root_seed,
            jobs=jobs,
            device=device,
            quick=quick,
            out=out,
            runs=runs,
            json=json,
        )
    )


@app.command("papers")
def _papers(
    query: Annotated[str, Argument(metavar="[QUERY]", help="Words to search for, or a slug to see its card.")] = "",
    family: Annotated[str | None, Option("--family", metavar="NAME", help="One family of recipes.")] = None,
    core: Annotated[int | None, Option("--core", metavar="1|2|3", help="3: what Ludus is about. 1: its edge.")] = None,
    status: Annotated[
        str | None, Option("--status", metavar="STATUS", help="recorded, stale, built or wanted.")
    ] = None,
    json: Json = False,
) -> None:
    """Search the catalogue of papers and their verdicts."""
    from ludus.cli.papers import show_papers

    show_papers(query, family, core, status, json)


@app.command("games")
def _games(json: Json = False) -> None:
    """List the games, with the sizes of their trees."""
    from ludus.cli.play import show_games

    show_games(json)


@app.command("play")
def _play(
    game: Annotated[str, Argument(metavar="GAME", help="Such as kuhn_poker or 'liars_dice(faces=5)'.")],
    players: Annotated[
        list[str],
        Argument(
            metavar="PLAYER...",
            help="One per seat: human, uniform, first, a method of ludus solve, a file of its --json, or a model "
            "behind a server, http://127.0.0.1:8000/v1#MODEL.",
        ),
    ],
    games: Annotated[
        int, Option("--games", metavar="N", help="How many; more than one ends in a table of payoffs.")
    ] = 1,
    seed: Annotated[int | None, Option("--seed", metavar="N", help="Play the very same games again.")] = None,
) -> None:
    """Play a game: sit down yourself, or watch players play."""
    from ludus.cli.play import play_games

    play_games(game, players, games, seed)


@app.command("tournament")
def _tournament(
    game: Annotated[str, Argument(metavar="GAME", help="Such as kuhn_poker or 'liars_dice(faces=5)'.")],
    players: Annotated[
        list[str],
        Argument(
            metavar="PLAYER...",
            help="uniform, first, a method of ludus solve, a file of its --json, or a model http://HOST/v1#MODEL; "
            "NAME=PLAYER names one.",
        ),
    ],
    against: Annotated[
        list[str] | None,
        Option("--against", metavar="PLAYER", help="One of a pool that all others meet; repeat for several."),
    ] = None,
    swiss: Annotated[
        int | None,
        Option(
            "--swiss", metavar="ROUNDS", help="So many rounds of neighbours, in the place of everybody meets everybody."
        ),
    ] = None,
    games: Annotated[int, Option("--games", metavar="N", help="Per pairing; all seat orders equally often.")] = 100,
    seed: Annotated[int, Option("--seed", metavar="N", help="Of chance, and of players who draw.")] = 0,
    jobs: Annotated[
        int | None, Option("--jobs", metavar="N", help="Sittings at a time; as many as there are cores, unless given.")
    ] = None,
    out: Annotated[
        Path | None, Option("--out", metavar="DIR", help="Its folder; one in tournaments/, unless given.")
    ] = None,
    json: Json = False,
) -> None:
    """Hold a tournament, or go on with it: ratings and a page."""
    from ludus.cli.tournament import tournament

    raise typer.Exit(
        tournament(
            game, players, pool=against or [], games=games, rounds=swiss, seed=seed, jobs=jobs, out=out, json=json
        )
    )


@app.command("replay")
def _replay(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="Of a tournament.")],
    game: Annotated[
        int | None, Option("--game", metavar="N", help="Tell this one; all are listed, unless given.")
    ] = None,
) -> None:
    """Tell a game of a tournament again, step by step."""
    from ludus.cli.tournament import replay

    replay(folder, game)


@app.command("solve")
def _solve(
    game: Annotated[
        str, Argument(metavar="GAME|FILE", help="Such as leduc_poker, 'liars_dice(faces=3)', or a Gambit file.")
    ],
    method: Annotated[
        str | None,
        Option(
            "--method",
            metavar="NAME",
            help="dcfr, cfr+, pcfr+, cfr, mmd, xfp, lp, supports, lemke-howson, pure, logit or minimax; "
            "what fits the game, unless given.",
        ),
    ] = None,
    iterations: Annotated[
        int | None,
        Option("--iterations", metavar="N", help="Iterate N times."),
    ] = None,
    target: Annotated[float | None, Option("--target", metavar="X", help="Stop when NashConv is at most X.")] = None,
    time: Annotated[
        float | None, Option("--time", metavar="SECONDS", help="Stop after so long, with the best so far.")
    ] = None,
    json: Json = False,
) -> None:
    """Solve a game or a Gambit file: equilibria, certified."""
    from ludus.cli.solve import solve_game

    solve_game(game, method, iterations, target, time, json)


@_checks.command("game")
def _check_game(
    game: Annotated[
        str, Argument(metavar="FILE|NAME", help="A game file such as ./my_game.py, or a name that ludus games lists.")
    ],
    json: Json = False,
) -> None:
    """Look through a game for what a game may not do: a line for each law. FILE is run."""
    from ludus.cli.check import check_game

    raise typer.Exit(check_game(game, json))


@app.command("runs")
def _runs(runs: Runs = Path("runs"), json: Json = False) -> None:
    """List the runs there are, the newest first."""
    from ludus.cli.studies import show_runs

    show_runs(runs, json)


@app.command("report")
def _report(
    run: Annotated[str, Argument(metavar="RUN", help="A run's name or folder, as `ludus runs` lists them.")],
    runs: Runs = Path("runs"),
) -> None:
    """Write the report page of a finished run, and say where it is."""
    from ludus.cli.studies import report

    report(run, runs)
