"""Before any test: one thread for BLAS and torch, as in a cell, and no width of a terminal.

Small models lose most of their time to more threads; tables are as wide as COLUMNS says, which some runners export.
"""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("COLUMNS", None)


@pytest.fixture
def model(request):
    """A transformer of the test module's SIZE, away from the nearly uniform start, so that mistakes show."""
    import numpy as np
    import torch

    from ludus.models.transformer import Transformer

    found = Transformer(request.module.SIZE, np.random.default_rng(0))
    with torch.no_grad():
        for weight in found.parameters():
            weight.mul_(5)
    return found
