"""Our tasks in TRL: the columns, the reward, and two steps of GRPO by the very script of docs/scaling.md."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ludus import tasks

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
trl = pytest.importorskip("trl", reason=WHY)
adapter = pytest.importorskip("ludus.adapters.trl", reason=WHY)
PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", tasks.names())
def test_a_row_has_all_that_its_reward_needs(name):
    task, rng = tasks.load(name), np.random.default_rng(0)
    problems = tasks.problems(task, tasks.Train(3), 0, 10)
    rows = adapter.task_dataset(task, tasks.Train(3), 0, 10)
    assert [row[0]["content"] for row in rows["prompt"]] == [tasks.question(task, problem) for problem in problems]
    reward = adapter.task_reward(tasks.exact(task))
    worked = [task.work(problem, rng) for problem in problems]
    said = [[{"role": "assistant", "content": text}] for text in worked]
    assert reward(completions=said, problem=rows["problem"], prompts=rows["prompt"], trainer_state=None) == [1.0] * 10
    assert reward(completions=worked, problem=rows["problem"]) == [1.0] * 10
    wrong = [*worked[1:], worked[0]]  # everybody gets the answer to another problem
    expected = [tasks.exact(task).score(*pair) for pair in zip(problems, wrong, strict=True)]
    assert reward(completions=wrong, problem=rows["problem"]) == expected
    assert reward(completions=["\0", [{"content": None}]], problem=rows["problem"][:2]) == [0.0, 0.0]


def test_the_script_of_the_page_trains_a_small_model_of_ours(tmp_path, monkeypatch):
    """Its text as it is, but for the model, its size and the number of steps."""
    import torch

    from ludus.models.export import export
    from ludus.models.transformer import Size, Transformer

    task = tasks.load("countdown")
    characters = tuple(sorted({*"abcdefghijklmnopqrstuvwxyz0123456789"}))

    class Lexicon:
        words = ("<padding>", "<end>", *task.words, *characters)
        longest, widths = 0, {}

        def stops(self):
            return np.arange(len(self.words)) == 1

    lexicon = Lexicon()
    size = Size(1, 16, 2, 64, len(lexicon.words))
    export(Transformer(size, np.random.default_rng(0)), lexicon, tmp_path / "model")
    [script] = [code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "GRPOTrainer" in code]
    for theirs, small in (
        ('"Qwen/Qwen3-0.6B"', repr(str(tmp_path / "model"))),
        ("count=2000", "count=8, chat=False"),
        ("max_steps=500", "max_steps=2, use_cpu=True, report_to=[], save_strategy='no'"),
        ("use_vllm=True", "use_vllm=False"),
        ("bf16=True", "bf16=False"),
        ("per_device_train_batch_size=16", "per_device_train_batch_size=4"),
        ("num_generations=16", "num_generations=4"),
        ("max_completion_length=512", "max_completion_length=8"),
    ):
        assert theirs in script, theirs
        script = script.replace(theirs, small)
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(script, made)
    history = made["trainer"].state.log_history
    assert made["trainer"].state.global_step == 2 and any("reward" in line for line in history), json.dumps(history)
    assert all(torch.isfinite(weight).all() for weight in made["trainer"].model.parameters())
