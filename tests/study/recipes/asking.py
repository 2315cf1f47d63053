"""Asking: a model behind a server says a larger number when it is asked for one.

Paper     On asking. Nobody (2020).
There     A large model.
Here      Without a model, only that two is more than one.
Claims    1. Two is more than one. 2. A real model says more when it is asked for more.
Leaves    Everything else.
"""

from dataclasses import dataclass

from ludus.study import Higher, Recipe


@dataclass(frozen=True)
class Settings:
    wanted: int = 2


ARMS = {"more": Settings(), "less": Settings(wanted=1), "unasked": Settings(wanted=0)}


def run(settings, rng, log):
    return {"number": float(settings.wanted)}


def server(settings, rng, log, model):
    return {"said": model(settings.wanted) + rng.random()}


RECIPE = Recipe(
    slug="asking",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Higher("more", than="less", metric="number"),
        Higher("more", than="less", metric="said", scope="server"),
    ),
    control="less",
    seeds=6,
    minutes=0.1,
)
