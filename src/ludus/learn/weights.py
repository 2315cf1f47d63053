"""A model and its optimiser as nested dicts of arrays, and back: what a checkpoint holds."""

from typing import Any

import numpy as np
import torch


def pack(model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Weights by name, and the optimiser's moments by the number of the weight."""
    moments = optimiser.state_dict()["state"]
    return {
        "weights": {name: weight.numpy().copy() for name, weight in model.state_dict().items()},
        "moments": {
            str(number): {name: value.cpu().numpy().copy() for name, value in moment.items()}
            for number, moment in moments.items()
        },
    }


def unpack(model: torch.nn.Module, optimiser: torch.optim.Optimizer, packed: dict[str, Any]) -> None:
    """Put back what `pack` took; model and optimiser are changed in place."""
    model.load_state_dict({name: torch.from_numpy(weight.copy()) for name, weight in packed["weights"].items()})
    state = optimiser.state_dict()
    state["state"] = {
        int(number): {name: torch.from_numpy(np.array(value)) for name, value in moment.items()}
        for number, moment in packed["moments"].items()
    }
    optimiser.load_state_dict(state)
