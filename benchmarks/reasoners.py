"""Sampling, exact log-probabilities and a whole GRPO step, against the same weights in Hugging Face's code and TRL's.

Both sides hold one model of about a million parameters, ours exported; the same tokens go in, the same numbers come out
(it is checked first). Sampling writes 64 tokens a row on both sides, at temperature 1 over the whole vocabulary. A GRPO
step samples replies to 8 prompts, 8 each, scores them with the same function, and updates once by the same loss; TRL's
step is timed inside its own training loop, from its first callback to its last, and ours right after it.

Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/reasoners.py
"""

import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ludus.learn.advantages import group_relative, spread
from ludus.learn.objective import clipped, mean_per_reply, score
from ludus.learn.policy_gradient import descend
from ludus.learn.rollout import rollout
from ludus.models.export import export
from ludus.models.transformer import Size, Transformer, log_probabilities
from pairing import compare

SIZE = Size(layers=4, width=128, heads=4, context=128, vocabulary=512)
PROMPT, WRITTEN, GROUPS, GROUP, STEPS = 16, 64, 8, 8, 12
NEVER = np.zeros(SIZE.vocabulary, bool)


class Words(NamedTuple):
    """What `export` must know of a vocabulary."""

    words: tuple[str, ...] = ("<padding>", *(f"w{number}" for number in range(1, SIZE.vocabulary)))
    longest: int = 0
    widths: dict[str, int] = {}  # noqa: RUF012

    def stops(self) -> np.ndarray:
        """The last word, which neither side ever gets to: min_new_tokens forbids it there."""
        return np.arange(SIZE.vocabulary) == SIZE.vocabulary - 1


def theirs_of(model: Transformer):
    """Hugging Face's model with our weights. Raises ImportError where transformers is not installed."""
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        export(model, Words(), Path(folder) / "model")
        return transformers.AutoModelForCausalLM.from_pretrained(Path(folder) / "model").eval()


def sampling(model: Transformer, batch: int) -> None:
    rng = np.random.default_rng(0)
    prompts = rng.integers(1, SIZE.vocabulary, (batch, PROMPT))

    def ours() -> int:
        return (rollout(model, prompts, rng.random((batch, WRITTEN)), NEVER).turn == 0).sum()

    def make_theirs() -> Callable[[], int]:
        other, given = theirs_of(model), torch.from_numpy(prompts)
        settings = {"do_sample": True, "top_k": 0, "min_new_tokens": WRITTEN, "max_new_tokens": WRITTEN}

        def theirs() -> int:
            out = other.generate(given, attention_mask=torch.ones_like(given), **settings)
            assert out.shape == (batch, PROMPT + WRITTEN)
            return batch * WRITTEN

        return theirs

    work = f"sampling {WRITTEN} tokens, batch {batch}, {parameters(model):.2g} million parameters"
    compare(work, "Hugging Face generate, with its cache", "tokens", ours, make_theirs)


def scoring(model: Transformer, batch: int = 256) -> None:
    tokens = torch.from_numpy(np.random.default_rng(1).integers(1, SIZE.vocabulary, (batch, PROMPT + WRITTEN)))
    real = torch.ones_like(tokens, dtype=torch.bool)

    def ours() -> int:
        with torch.no_grad():
            log_probabilities(model, tokens, real)
        return tokens.numel()

    def make_theirs() -> Callable[[], int]:
        other = theirs_of(model)

        @torch.no_grad()
        def theirs() -> int:
            logits = other(tokens, attention_mask=real.long()).logits[:, :-1]
            theirs.found = logits.log_softmax(-1).gather(2, tokens[:, 1:, None])[..., 0]
            return tokens.numel()

        theirs()
        with torch.no_grad():  # they give padding a probability like any other token, some 1 / 512 of it
            torch.testing.assert_close(
                log_probabilities(model, tokens, real)[:, 1:], theirs.found, rtol=0.002, atol=0.01
            )
        return theirs

    compare(f"exact log-probabilities of sequences, batch {batch}", "Hugging Face forward", "tokens", ours, make_theirs)


def reward_of(tokens: list[int] | np.ndarray) -> float:
    """The share of even tokens: something that both sides can pay for."""
    return float(np.mean(np.asarray(tokens) % 2 == 0))


def grpo(model: Transformer) -> None:
    """One line, as pairing.compare prints; ratio is TRL's CPU seconds a step divided by ours."""
    rng = np.random.default_rng(2)
    prompts = np.repeat(rng.integers(1, SIZE.vocabulary, (GROUPS, PROMPT)), GROUP, axis=0)
    group = np.repeat(np.arange(GROUPS), GROUP)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)  # as TRL has it unless told otherwise
    line = {
        "work": f"one GRPO step: {GROUPS} prompts, {GROUP} replies of {WRITTEN} tokens each",
        "peer": "TRL GRPOTrainer",
    }

    def step() -> float:
        start = time.process_time()
        found = rollout(model, prompts, rng.random((len(prompts), WRITTEN)), NEVER)
        reward = np.array([reward_of(row[PROMPT:]) for row in found.tokens])
        advantage = spread(group_relative(reward, group), found.turn)
        now = score(model, found)
        descend(model, optimiser, mean_per_reply(clipped(now, found.log_prob, advantage), now.written))
        return time.process_time() - start

    step()
    try:
        pairs = trl_steps(model, prompts[::GROUP], step)
    except ImportError as error:
        ours = statistics.median(step() for _ in range(STEPS))
        line |= {"ours": 1 / ours, "unit": "steps", "reason": f"{type(error).__name__}: {error}"}
        line |= dict.fromkeys(("theirs", "ratio", "low", "high"), "not run")
    else:
        ratios = [other / mine for mine, other in pairs]
        mine, other = (statistics.median(1 / seconds for seconds in side) for side in zip(*pairs, strict=True))
        line |= {"ours": round(mine, 3), "theirs": round(other, 3), "unit": "steps", "ratio": statistics.median(ratios)}
        line |= {"low": min(ratios), "high": max(ratios)}
    print(
        json.dumps({key: round(each, 2) if isinstance(each, float) else each for key, each in line.items()}), flush=True
    )


def trl_steps(model: Transformer, prompts: np.ndarray, step: Callable[[], float]) -> list[tuple[float, float]]:
    """(our CPU seconds, TRL's) of steps that take turns; the first two of TRL's are left out."""
    import datasets
    import transformers
    import trl

    pairs: list[tuple[float, float]] = []

    class Clock(transformers.TrainerCallback):
        def on_step_begin(self, *_, **__):
            self.start = time.process_time()

        def on_step_end(self, *_, **__):
            spent = time.process_time() - self.start
            pairs.append((step(), spent))

    with tempfile.TemporaryDirectory() as folder:
        export(model, Words(), Path(folder) / "model")
        name = str(Path(folder) / "model")
        settings = trl.GRPOConfig(
            output_dir=folder, use_cpu=True, bf16=False, report_to=[], disable_tqdm=True, logging_strategy="no",
            save_strategy="no", max_steps=STEPS + 2, per_device_train_batch_size=GROUPS * GROUP, num_generations=GROUP,
            max_completion_length=WRITTEN, learning_rate=1e-4, beta=0.0, num_iterations=1, loss_type="grpo",
            gradient_checkpointing=False, temperature=1.0, top_k=0, shuffle_dataset=False,
            generation_kwargs={"min_new_tokens": WRITTEN},
        )  # fmt: skip
        texts = [" ".join(f"w{token}" for token in row) for row in prompts]
        trainer = trl.GRPOTrainer(
            name,
            reward_funcs=lambda completion_ids, **_: [reward_of(row) for row in completion_ids],
            args=settings,
            train_dataset=datasets.Dataset.from_dict({"prompt": texts * (STEPS + 2)}),
            callbacks=[Clock()],
        )
        with contextlib.redirect_stdout(sys.stderr):  # it prints a summary that is no JSON
            trainer.train()
    return pairs[2:]


def parameters(model: Transformer) -> float:
    """Millions of them."""
    return sum(weight.numel() for weight in model.parameters()) / 1e6


def main() -> None:
    torch.set_num_threads(2)
    model = Transformer(SIZE, np.random.default_rng(0))
    for batch in (256, 16):
        sampling(model, batch)
    scoring(model)
    grpo(model)


if __name__ == "__main__":
    main()
