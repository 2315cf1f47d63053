"""A study on a Ray cluster of two machines, here two nodes on this one: the local hash, and no start where they differ.

Ray lives in the peers' environment: PYTHONPATH=src .venv-peers/bin/python -m pytest tests/study/test_cluster.py
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ludus.study import cluster
from ludus.study.recipe import BadSetting, load
from ludus.study.run import run_study

RECIPES = Path(__file__).parent / "recipes"


@pytest.fixture(scope="module")
def two_nodes():
    """The address of a head and a worker, a core each."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    yield nodes.address
    nodes.shutdown()


@pytest.mark.parametrize("name", ["matching", "regression"])
def test_the_hash_is_that_of_the_local_run(two_nodes, tmp_path, name):
    path = RECIPES / f"{name}.py"
    local = run_study(load(path), path, runs=tmp_path / "local", jobs=1)
    far = run_study(load(path), path, runs=tmp_path / "far", ray=two_nodes)
    assert far.results["hash"] == local.results["hash"] and far.cells == local.cells
    for cell in far.cells:
        names = {file.name for file in far.cell(*cell).iterdir()} - {"lock"}
        assert names == {file.name for file in local.cell(*cell).iterdir()} - {"lock"}


def test_a_cell_goes_on_from_the_checkpoint_that_lies_here(two_nodes, tmp_path, monkeypatch):
    """A cell that is stopped here after some checkpoints is finished over there, from the last of them."""
    path = RECIPES / "regression.py"
    whole = run_study(load(path), path, runs=tmp_path / "whole", jobs=1)
    stopped = tmp_path / "stopped"
    code = "import sys; from ludus.study.recipe import load; from ludus.study.run import run_study; " \
        f"run_study(load({str(path)!r}), {str(path)!r}, runs={str(stopped)!r}, jobs=1)"  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "LUDUS_TEST_PAUSE": "0.2"})
    while not list(stopped.glob("*/cells/*/checkpoint.npz")):
        assert process.poll() is None
    process.kill()
    process.wait()
    far = run_study(load(path), path, runs=stopped, ray=two_nodes)
    assert far.results["hash"] == whole.results["hash"]


def test_a_machine_with_another_version_is_named_before_anything_starts(two_nodes, tmp_path, monkeypatch):
    path = RECIPES / "matching.py"
    real = cluster._teller

    def lies():
        tell = real()
        return lambda *asked: tell(*asked) | {"numpy": np.__version__ + ".post1"}

    calls = iter([real, lies])  # first for the machines, then for this one
    monkeypatch.setattr(cluster, "_teller", lambda: next(calls)())
    with pytest.raises(
        BadSetting, match=rf"numpy is {np.__version__} on [0-9.]+ and .*post1 here; .*nothing was started"
    ):
        run_study(load(path), path, runs=tmp_path, ray=two_nodes)
    assert not list(tmp_path.glob("*/cells/*"))


def test_no_cluster_and_no_ray(tmp_path, monkeypatch):
    path = RECIPES / "matching.py"
    with pytest.raises(BadSetting, match="--ray: a run with --quick stays in this process"):
        run_study(load(path), path, runs=tmp_path, ray="auto", quick=True)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadSetting, match=r"it needs Ray, which is not installed; write: pip install 'ludus\[ray\]'"):
        run_study(load(path), path, runs=tmp_path, ray="auto")


def test_what_a_machine_says_of_itself():
    """An edit anywhere in the package, or a package that is missing, shows."""
    told = cluster._teller()(("numpy", "no-such-package"), "ludus", "ludus.recipes.selfplay.spiral")
    assert told["numpy"] == np.__version__ and told["no-such-package"] == cluster.ABSENT
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert (
        told["the text of ludus"].startswith("text ")
        and told["the recipe ludus.recipes.selfplay.spiral"] != told["the text of ludus"]
    )
    missing = cluster._teller()((), "no_such_package", "no_such_package.recipe")
    assert missing["the text of no_such_package"] == missing["the recipe no_such_package.recipe"] == cluster.ABSENT
