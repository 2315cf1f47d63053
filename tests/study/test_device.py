"""The same recipes on a GPU: the same text, the same first draws, the same result when asked twice.

What needs a GPU is skipped where there is none.
"""

import os
import sys

import numpy as np
import pytest
import torch

from ludus import recipes
from ludus.learn.objective import score
from ludus.learn.rollout import Rollouts, rollout
from ludus.models.transformer import Size, Transformer
from ludus.study import BadSetting
from ludus.study.device import DEVICE, check, on
from ludus.study.run import run_study

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="it needs a GPU")
SIZE = Size(layers=2, width=32, heads=4, context=24, vocabulary=12)
LEARNERS = (
    "b-star", "simplerl-zoo", "score-self-correct", "rise-verify", "sharpening", "spc", "spo", "self-redteam",
    "epo-entropy", "spiral", "nl-to-efg", "tmgbench",
)  # fmt: skip


def made(device: str) -> Transformer:
    with on(device):
        model = Transformer(SIZE, np.random.default_rng(0))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model


@pytest.mark.parametrize(
    ("name", "told"),
    [("gpu", "it is cpu, cuda or cuda:N, got 'gpu'"), ("cuda:99", "cuda:99 is not here, torch .* finds . GPUs")],
)
def test_a_device_that_is_not_here_is_refused(tmp_path, name, told):
    with pytest.raises(ValueError, match=told):
        check(name)
    path = recipes.locate("off-switch")
    with pytest.raises(BadSetting, match=f"--device: {told}.*leave it out to run on the CPU"):
        run_study(recipes.load("off-switch"), path, runs=tmp_path, device=name)
    assert not list(tmp_path.iterdir())


def test_without_torch_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"cuda needs PyTorch.*pip install 'ludus\[torch\]'"):
        check("cuda")


def test_a_cluster_runs_on_its_processors(tmp_path):
    path = recipes.locate("off-switch")
    with pytest.raises(BadSetting, match=r"--device: .* leave out --ray"):
        run_study(recipes.load("off-switch"), path, runs=tmp_path, device="cuda", ray="auto")


def test_the_environment_is_as_before(monkeypatch):
    monkeypatch.delenv(DEVICE, raising=False)
    with on("cpu"):
        assert os.environ[DEVICE] == "cpu"
        assert made("cpu").device.type == "cpu"
    assert DEVICE not in os.environ


@gpu
def test_a_gpu_says_what_the_processor_says():
    here, there = made("cpu"), made("cuda")
    rng = np.random.default_rng(1)
    prompts = rng.integers(1, 12, (40, 6)) * (rng.random((40, 6)) < 0.8)
    prompts[:, -1] = 1  # a row that has heard nothing cannot write
    prompts[20:] = prompts[0]
    uniform, stop = rng.random((40, 16)), np.arange(12) == 1
    mine, its = (rollout(model, prompts, uniform, stop) for model in (here, there))
    assert (mine.tokens == its.tokens).mean() > 0.9  # a draw at an edge may fall to its other side
    its = Rollouts(mine.tokens, mine.turn, mine.log_prob)
    for model in (here, there):
        np.testing.assert_allclose(score(model, its).log_prob.detach().numpy(), mine.log_prob, atol=1e-4)
        now = score(model.double(), its)  # in float32 rounding alone moves gradients of hundreds by 0.002
        (now.log_prob.sum() + now.entropy.sum()).backward()
    for name, weight in here.named_parameters():
        theirs = there.get_parameter(name).grad
        assert theirs is not None and theirs.device.type == "cuda"
        torch.testing.assert_close(weight.grad, theirs.cpu(), rtol=1e-6, atol=1e-6)
    assert {weight.device.type for weight in there.state_dict().values()} == {"cpu"}
    there.load_state_dict(here.state_dict())
    assert there.device.type == "cuda"


@gpu
@pytest.mark.parametrize("slug", LEARNERS)
def test_recipes_run_unchanged_and_twice_to_the_same_hash(tmp_path, slug):
    path, recipe = recipes.locate(slug), recipes.load(slug)
    arms = list(recipe.arms)[:2]
    hashes = set()
    for folder in ("one", "two"):
        run = run_study(recipe, path, runs=tmp_path / folder, arms=arms, quick=True, device="cuda")
        assert run.asked["device"] == "cuda" and run.results is not None
        hashes.add(run.results["hash"])
    assert len(hashes) == 1
