"""A small network with Adam: a hidden layer fits a sine that a straight line cannot.

Paper     Adam: a method for stochastic optimization, Kingma and Ba (2015), arXiv:1412.6980, algorithm 1.
There     Faster convergence than other first-order methods on logistic regression, networks and autoencoders.
Here      Thirty-two noisy points of a sine a step, one hidden layer of 16, torch on the CPU.
Claims    1. The network ends with a lower loss than the same network with its hidden layer frozen at zero.
Leaves    Everything at scale.
"""

import os
import time
from dataclasses import dataclass

import torch

from ludus.study import Lower, Recipe

PAUSE = float(os.environ.get("LUDUS_TEST_PAUSE", "0"))  # seconds, so that a test can kill it on the way


@dataclass(frozen=True)
class Settings:
    steps: int = 120
    hidden: bool = True


ARMS = {"network": Settings(), "line": Settings(hidden=False)}


def run(settings, rng, log):
    shapes = {"w1": (1, 16), "b1": (16,), "w2": (16, 1), "slope": (1, 1), "bias": (1,)}
    state = log.restore()
    if state is None:
        state = {"step": 0, "rng": rng, "moments": None, "loss": float("nan")}
        state["weights"] = {name: rng.normal(0, 0.5, shape).astype("float32") for name, shape in shapes.items()}
    rng, loss = state["rng"], state["loss"]
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in state["weights"].items()}
    adam = torch.optim.Adam(weights.values(), lr=0.02)
    if state["moments"] is not None:
        moments = {
            i: {name: torch.tensor(value) for name, value in state["moments"][name_of].items()}
            for i, name_of in enumerate(shapes)
        }
        adam.load_state_dict({"state": moments, "param_groups": adam.state_dict()["param_groups"]})
    for step in range(state["step"], settings.steps):
        x = torch.tensor(rng.uniform(-3, 3, (32, 1)), dtype=torch.float32)
        y = torch.sin(2 * x) + torch.tensor(rng.normal(0, 0.05, (32, 1)), dtype=torch.float32)
        hidden = torch.tanh(x @ weights["w1"] + weights["b1"]) @ weights["w2"] * float(settings.hidden)
        error = ((hidden + x @ weights["slope"] + weights["bias"] - y) ** 2).mean()
        adam.zero_grad()
        error.backward()
        adam.step()
        loss = error.item()
        if step % 10 == 9:
            log.row(step, loss=loss)
            moments = adam.state_dict()["state"]
            log.checkpoint(
                {
                    "step": step + 1,
                    "loss": loss,
                    "rng": rng,
                    "weights": {name: value.detach().numpy() for name, value in weights.items()},
                    "moments": {
                        name: {key: value.numpy() for key, value in moments[i].items()} for i, name in enumerate(shapes)
                    },
                }
            )
        time.sleep(PAUSE)
    return {"loss": loss}


RECIPE = Recipe(
    slug="regression",
    arms=ARMS,
    run=run,
    claims=(Lower("network", than=0.45, metric="loss"),),
    control="line",
    seeds=3,
    minutes=0.1,
    quick={"steps": 20},
    watch="loss",
)
