"""The cells of a study on a Ray cluster: other machines, the same result.

Nothing is shared but Ray. A cell's files travel with it, there and back, so no common folder is needed, and a cell that
lost its machine is simply run again. Before any cell is sent, every machine says what it would run it with; where that
differs from this one, nothing starts, and the message names machine, package and both versions.
"""

import hashlib
import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ludus.study.disk import write_whole
from ludus.study.recipe import BadSetting, load
from ludus.study.store import RESULT, VERSIONS

ABSENT = "not installed"
_LOCK = "lock"  # of the process that has the folder; it stays where it is


class Parcel(NamedTuple):
    """One cell on its way: what to call it, where the recipe is, and the files of its folder.

    module  the recipe's name to import, "" for a file of one's own, whose text then goes along
    text    of that file
    files   name -> content
    """

    cell: Any
    module: str
    stem: str
    text: bytes
    files: dict[str, bytes]


def run_on_ray(
    cells: list[Any], address: str, run_cell: Callable[[Any], tuple[str, str]]
) -> Iterator[tuple[Any, tuple[str, str]]]:
    """Run cells on the cluster at `address`, yielding each with its outcome, its files back in place.

    cells     records with path, folder, arm and seed, and _replace
    address   "auto" for the cluster that this machine belongs to, "HOST:PORT", or "ray://HOST:PORT"
    run_cell  (cell) -> outcome, of a module that every machine has

    Raises BadSetting where Ray is not installed, no cluster answers, or a machine would run something else.
    """
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError:
        raise BadSetting("--ray: it needs Ray, which is not installed; write: pip install 'ludus[ray]'") from None
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (ConnectionError, RuntimeError, ValueError) as fault:  # Ray itself refuses another Ray or Python
        reason = " ".join(str(fault).split())
        raise BadSetting(f"--ray: no cluster to work with at {address!r}: {reason}; see ray start --help") from fault
    try:
        parcels = [_pack(cell) for cell in cells]
        if parcels:
            _check_machines(ray, parcels[0])
        work = ray.remote(num_cpus=1, max_retries=3)(_unpack_and_run)
        waiting = {work.remote(parcel, run_cell): parcel.cell for parcel in parcels}
        while waiting:
            [done], _ = ray.wait(list(waiting), num_returns=1)
            cell = waiting.pop(done)
            outcome, files = ray.get(done)
            _put_back(_folder(cell), files)
            yield cell, outcome
    finally:
        ray.shutdown()


def _check_machines(ray: Any, parcel: Parcel) -> None:
    """Raise BadSetting where a machine has another Python, another package or another text of the recipe's package."""
    strategy = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    package = (parcel.module or __name__).split(".")[0]
    ask = ray.remote(num_cpus=0, max_retries=0)(_teller())
    machines = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
    asked = {
        name: ask.options(scheduling_strategy=strategy(name, soft=False)).remote(VERSIONS, package, parcel.module)
        for name in machines
    }
    here = _teller()(VERSIONS, package, parcel.module)
    for name, reply in asked.items():
        there = ray.get(reply)
        for what, version in here.items():
            if there[what] != version:
                host = machines[name]["NodeManagerAddress"]
                raise BadSetting(
                    f"--ray: {what} is {there[what]} on {host} and {version} here; all machines have to have the same. "
                    f"Install there what is here, then run again; nothing was started"
                )


def _teller() -> Callable[[tuple[str, ...], str, str], dict[str, str]]:
    """What a machine says of itself. Made here, so that it travels as code: the package may be missing over there."""

    def tell(names: tuple[str, ...], package: str, module: str) -> dict[str, str]:
        def version(name: str) -> str:
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                return ABSENT

        def text_of(name: str) -> str:
            try:
                spec = find_spec(name)
            except ModuleNotFoundError:
                spec = None
            if spec is None or spec.origin is None:
                return ABSENT
            whole = hashlib.sha256()
            place = Path(spec.origin)
            for file in sorted(place.parent.rglob("*.py")) if place.name == "__init__.py" else [place]:
                whole.update(str(file.relative_to(place.parent)).encode() + file.read_bytes())
            return f"text {whole.hexdigest()[:12]}"

        found = {"python": platform.python_version()} | {name: version(name) for name in names}
        found[f"the text of {package}"] = text_of(package)
        if module:
            found[f"the recipe {module}"] = text_of(module)
        return found

    return tell


def _unpack_and_run(parcel: Parcel, run_cell: Callable[[Any], tuple[str, str]]) -> tuple[tuple[str, str], dict]:
    """On the other machine: a cell in a folder of its own -> (outcome, the files of the cell)."""
    with tempfile.TemporaryDirectory(prefix="ludus-") as scratch:
        if parcel.module:
            spec = find_spec(parcel.module)
            assert spec is not None and spec.origin is not None  # the machine was asked
            path = Path(spec.origin)
        else:
            path = Path(scratch, f"{parcel.stem}.py")
            path.write_bytes(parcel.text)
        cell = parcel.cell._replace(path=str(path), folder=scratch, parent=os.getppid())
        folder = _folder(cell)
        folder.mkdir(parents=True)
        _put_back(folder, parcel.files)
        return run_cell(cell), _files(folder)


def _pack(cell: Any) -> Parcel:
    path, folder = Path(cell.path), _folder(cell)
    load(path)  # under its own name where it is a package's
    module = next((name for name, each in sys.modules.items() if getattr(each, "__file__", None) == str(path)), "")
    if not _importable(module):
        module = ""
    return Parcel(cell, module, path.stem, path.read_bytes(), _files(folder) if folder.is_dir() else {})


def _importable(module: str) -> bool:
    return "." in module and find_spec(module) is not None


def _folder(cell: Any) -> Path:
    return Path(cell.folder) / "cells" / f"{cell.arm}-{cell.seed}"


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file() and file.name != _LOCK}


def _put_back(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files, the result last: where it stands, the rest does."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(files, key=lambda name: name == RESULT):
        write_whole(folder / name, files[name])
