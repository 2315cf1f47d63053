"""A small model of ours behind somebody else's server: `transformers serve` plays Kuhn poker.

A transformer learns an equilibrium of Kuhn poker from scratch, is exported, and `transformers serve` serves it on the
loopback address. `models.chat.connect` and `agents.chat.ChatPlayer` play with it as with any model. Checked are: whole
games, every reply read; the served player's actions as frequent as the policy read off the model here; the record, from
which a second run asks nothing; and what this server does with `response_format`: it ignores it.

In the peers' environment, about half a minute:  PYTHONPATH=src .venv-peers/bin/python tests/models/serve_check.py
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from ludus.agents.chat import ChatPlayer
from ludus.agents.language import LanguagePlayer, lexicon, read_off
from ludus.games import load
from ludus.learn import policy_gradient as pg
from ludus.models.chat import connect
from ludus.models.export import export
from ludus.models.transformer import Size, Transformer
from ludus.play import play, tell_episode
from ludus.solve.cfr import cfr_plus
from ludus.tree import grow

GAME = load("kuhn_poker")
TREE = grow(GAME)
WORDS = lexicon([(GAME, TREE.view)], ("good", "even"), longest=2)
STEPS, BATCH, GAMES, PATIENCE = 400, 64, 150, 120


def taught(rng: np.random.Generator) -> LanguagePlayer:
    """A model that imitates an equilibrium, behind up to two thoughts that mean nothing."""
    table = cfr_plus(TREE, 1000).average
    player = LanguagePlayer(Transformer(Size(1, 32, 2, 12, len(WORDS.words)), rng), WORDS, GAME)
    optimiser = torch.optim.Adam(player.model.parameters(), lr=3e-3)
    for _ in range(STEPS):
        rows = rng.integers(len(TREE.view), size=BATCH)
        action = (rng.random(BATCH)[:, None] < table[rows].cumsum(axis=1)).argmax(axis=1)
        replies = np.zeros((BATCH, WORDS.longest + 1), np.int64)
        for row, count in enumerate(rng.integers(WORDS.longest + 1, size=BATCH)):
            replies[row, :count] = rng.choice(WORDS.thought_tokens, count)
            replies[row, count] = player.action_tokens[action[row]]
        pg.descend(
            player.model,
            optimiser,
            pg.imitation_loss(player.model, pg.Replies(player.prompts(TREE.view[rows]), replies)),
        )
    return player


@contextmanager
def served(folder: Path, log: Path) -> Iterator[str]:
    """`transformers serve` on a free port of the loopback address; its base URL, once it is healthy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                if server.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the server did not start:\n{log.read_text()[-3000:]}") from None
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=30)


def check(said: str, true: bool) -> None:
    print(f"{'ok  ' if true else 'FAIL'}  {said}", flush=True)
    if not true:
        raise SystemExit(1)


def main() -> None:
    rng = np.random.default_rng(1)
    player = taught(rng)
    exact = read_off(player, TREE.view, TREE.legal)
    with tempfile.TemporaryDirectory() as place:
        folder, log, replies = Path(place, "kuhn"), Path(place, "server.log"), Path(place, "replies")
        export(player.model, WORDS, folder)
        with served(folder, log) as url:
            agent = f"{url}#{folder}"
            longest = WORDS.longest + 2  # one more than it writes: at the limit a server calls a reply cut
            chat = connect(agent, replies, max_tokens=longest, concurrency=2)
            asked = ChatPlayer(chat, GAME)
            start = time.monotonic()
            episodes = play(GAME, [asked, asked], GAMES, np.random.default_rng(2))
            print(tell_episode(GAME, episodes, 0))
            print(f"{GAMES} games, {chat.requests} requests, {time.monotonic() - start:.1f} s")

            kinds = episodes.notes["answer"]
            check(
                f"{(kinds == 'legal').sum()} of {len(kinds)} replies are legal actions",
                (kinds == "legal").mean() > 0.95,
            )

            worst = 0.0
            for row, view in enumerate(TREE.view):
                here = (episodes.view == view).all(axis=1) & (episodes.player == TREE.player[row])
                if count := here.sum():
                    share, seen = exact.table[row, 1], episodes.action[here].mean()
                    worst = max(worst, abs(seen - share) / np.sqrt(max(share * (1 - share), 0.01) / count))
            check(f"bets as often as the model here: at most {worst:.1f} standard errors off", worst < 4.5)

            again = connect(agent, replies, max_tokens=longest, concurrency=2)
            second = play(GAME, [ChatPlayer(again, GAME)] * 2, GAMES, np.random.default_rng(2))
            check(
                "a second run asks nothing and is the same",
                again.requests == 0 and (second.action == episodes.action).all(),
            )

            messages = [{"role": "system", "content": asked.system}]
            messages += [{"role": "user", "content": asked.question(TREE.view[0], TREE.legal[0])}]
            [reply] = chat.ask([messages], [0], [["raise"]])
            print(f"allowed was only 'raise', the reply was {reply.text!r}")
            check("transformers serve ignores response_format, and the client sees it", chat.constrains is False)


if __name__ == "__main__":
    main()
