"""Where a cell's transformers live: on the processor, or on a GPU.

The environment says it, since a cell knows nothing of models: `models.transformer` puts a new model where DEVICE says.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

CPU = "cpu"
DEVICE = "LUDUS_DEVICE"
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"  # with which a GPU's matrix products are the same each time


def check(name: str) -> None:
    """Raises ValueError where a device is not "cpu", "cuda" or "cuda:1", or is not to be had here."""
    if name == CPU:
        return
    number = re.fullmatch(r"cuda(?::(\d+))?", name)
    if number is None:
        raise ValueError(f"it is cpu, cuda or cuda:N, got {name!r}; leave it out to run on the CPU")
    try:
        import torch
    except ModuleNotFoundError:
        raise ValueError(f"{name} needs PyTorch, which is not installed; write: pip install 'ludus[torch]'") from None
    count = torch.cuda.device_count()
    if int(number[1] or 0) >= count:
        found = f"torch {torch.__version__} finds {count} GPUs"
        raise ValueError(f"{name} is not here, {found}; leave it out to run on the CPU")


@contextmanager
def on(name: str) -> Iterator[None]:
    """New transformers are put on a device."""
    with environment({DEVICE: name} | ({} if name == CPU else {_CUBLAS: os.environ.get(_CUBLAS, ":4096:8")})):
        yield


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables have these values, and afterwards those that they had."""
    saved = {variable: os.environ.get(variable) for variable in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for variable, value in saved.items():
            os.environ.pop(variable) if value is None else os.environ.update({variable: value})
