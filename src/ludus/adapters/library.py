"""Other people's libraries, imported when their adapter is, with one clear error where they are not installed."""

from importlib import import_module
from typing import Any


def library(module: str, extra: str) -> Any:
    """The module `module`. Raises ModuleNotFoundError that names the extra of Ludus which brings its library."""
    try:
        return import_module(module)
    except ModuleNotFoundError as fault:
        if fault.name is not None and fault.name.split(".")[0] != module.split(".")[0]:
            raise  # the library is here, and something that it needs itself is not
        raise ModuleNotFoundError(
            f"this adapter needs {module}, which is not installed; write: pip install 'ludus[{extra}]'",
            name=module,
        ) from None
