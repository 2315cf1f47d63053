"""An exported model against a slow GPT-2 of its own files, and against the library that is to read them."""

import json
from pathlib import Path

import jinja2
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from ludus.agents.chat import ChatPlayer
from ludus.agents.language import Lexicon, lexicon
from ludus.games import load
from ludus.models.chat import Scripted
from ludus.models.export import export
from ludus.models.transformer import Size, Transformer, causal
from ludus.tree import grow

GAMES = [load("kuhn_poker"), load("liars_dice(dice=1, faces=2)")]  # the second name holds a space
TREES = [grow(game) for game in GAMES]
WORDS = lexicon([(game, tree.view) for game, tree in zip(GAMES, TREES, strict=True)], ("good", "evén"), longest=3)
SIZE = Size(layers=2, width=16, heads=4, context=24, vocabulary=len(WORDS.words))


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    model = Transformer(SIZE, rng)
    with torch.no_grad():  # as after training: no weight is where it began, biases and norms neither
        for weight in model.parameters():
            weight.mul_(4).add_(torch.from_numpy(rng.normal(0, 0.1, tuple(weight.shape))))
    return model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "small"
    export(model, WORDS, folder)
    return folder


def logits_of(model, rows):
    with torch.no_grad():
        return model(torch.tensor(rows), *causal(torch.tensor(rows) != 0))[0].numpy()


def slow_gpt2(folder: Path, row: list[int]) -> np.ndarray:
    """Logits float64[T, vocabulary] from the files alone, head by head, as Radford et al. (2019) describe GPT-2."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = {name: weight.astype(float) for name, weight in load_file(folder / "model.safetensors").items()}

    def linear(x, name):
        return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def norm(x, name):
        spread = np.sqrt(x.var(axis=-1, keepdims=True) + config["layer_norm_epsilon"])
        return (x - x.mean(axis=-1, keepdims=True)) / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    width = config["n_embd"] // config["n_head"]
    x = weights["transformer.wte.weight"][row] + weights["transformer.wpe.weight"][: len(row)]
    for layer in range(config["n_layer"]):
        place = f"transformer.h.{layer}"
        queries, keys, values = np.split(linear(norm(x, f"{place}.ln_1"), f"{place}.attn.c_attn"), 3, axis=1)
        mixed = np.zeros_like(x)
        for head in range(config["n_head"]):
            own = slice(head * width, (head + 1) * width)
            for at in range(len(row)):
                scores = np.exp(keys[: at + 1, own] @ queries[at, own] / np.sqrt(width))
                mixed[at, own] = scores / scores.sum() @ values[: at + 1, own]
        x = x + linear(mixed, f"{place}.attn.c_proj")
        inner = linear(norm(x, f"{place}.ln_2"), f"{place}.mlp.c_fc")
        inner = inner / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3)))
        x = x + linear(inner, f"{place}.mlp.c_proj")
    return norm(x, "transformer.ln_f") @ weights["transformer.wte.weight"].T


def test_the_files_hold_a_gpt2_with_the_same_logits(model, folder):
    row = [3, 9, 1, 14, 2]
    np.testing.assert_allclose(slow_gpt2(folder, row)[:, 1:], logits_of(model, [row])[0][:, 1:], atol=1e-4)


def test_generation_suppresses_padding_and_ends_with_the_reply(folder):
    generation = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    thoughts = set(WORDS.tokens(WORDS.thoughts))
    assert generation["suppress_tokens"] == [0]
    assert set(generation["eos_token_id"]) == set(range(1, len(WORDS.words))) - thoughts
    assert (generation["do_sample"], generation["temperature"], generation["top_k"]) == (True, 1.0, 0)


class Refused(Exception):
    """What the template's own errors become here."""


def prompt_of(folder, messages):
    """The chat template in an environment such as transformers makes for it."""

    def refuse(message):
        raise Refused(message)

    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    return environment.from_string(config["chat_template"]).render(messages=messages, add_generation_prompt=True)


@pytest.mark.parametrize("which", [0, 1])
def test_a_chat_becomes_the_prompt_that_the_model_knows(folder, which):
    game, tree = GAMES[which], TREES[which]
    player = ChatPlayer(Scripted(lambda messages, seed: "[pass]"), game)
    for view, legal in zip(tree.view, tree.legal, strict=True):
        messages = [
            {"role": "system", "content": player.system},
            {"role": "user", "content": player.question(view, legal)},
        ]
        wanted = f"{game.name} {game.tell(view)}"
        assert prompt_of(folder, messages) == wanted
        corrected = [{"role": "assistant", "content": "[raise]"}, {"role": "user", "content": "No. Answer again."}]
        assert prompt_of(folder, messages + corrected) == wanted


def test_a_chat_of_the_bare_prompt_is_the_prompt(folder):
    assert prompt_of(folder, [{"role": "user", "content": " kuhn_poker J pass\n"}]) == "kuhn_poker J pass"


def test_a_chat_about_another_game_is_refused(folder):
    other = "You play a game, chess.\n\nRules: ..."
    liar = "You see:\n> You play a game, kuhn_poker.\n> J"
    with pytest.raises(Refused, match="this model plays kuhn_poker"):
        prompt_of(folder, [{"role": "system", "content": other}, {"role": "user", "content": liar}])


def test_words_of_another_model_are_refused(model, tmp_path):
    other = Lexicon(WORDS.words[:-1], WORDS.thoughts, WORDS.longest, WORDS.widths)
    with pytest.raises(ValueError, match="lexicon that the model was trained with"):
        export(model, other, tmp_path / "small")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_not_touched(model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="give a new name"):
        export(model, WORDS, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


# Read back by the library itself, in the peers' environment.


@pytest.fixture(scope="module")
def theirs(folder):
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval(), tokenizer


def test_the_library_gives_the_same_logits(model, theirs):
    rows = np.random.default_rng(1).integers(1, SIZE.vocabulary, (20, SIZE.context))
    with torch.no_grad():
        logits = theirs[0](torch.from_numpy(rows)).logits.numpy()
    np.testing.assert_allclose(logits[:, :, 1:], logits_of(model, rows.tolist())[:, :, 1:], atol=1e-4)


def test_the_library_reads_every_word_as_its_token(theirs):
    tokenizer = theirs[1]
    assert len(tokenizer) == len(WORDS.words)
    for token, word in enumerate(WORDS.words):
        assert tokenizer(word)["input_ids"] == [token]
        assert tokenizer.decode([token]) == word
    tokens = np.random.default_rng(2).permutation(np.arange(1, len(WORDS.words))).tolist()
    assert tokenizer(WORDS.text(tokens))["input_ids"] == tokens
    assert tokenizer.decode(tokens, skip_special_tokens=True) == WORDS.text(tokens)


def test_the_library_refuses_a_word_that_the_model_does_not_know(theirs):
    with pytest.raises(Exception, match="UNK"):
        theirs[1]("kuhn_poker A")


def test_the_library_samples_replies_as_often_as_we_do(model, theirs):
    """generate() with the exported settings: the frequency of the first token, and no token after the end."""
    reads, tokenizer = theirs
    messages = [{"role": "user", "content": "kuhn_poker J pass"}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    assert prompt["input_ids"].tolist() == [WORDS.tokens(["kuhn_poker", "J", "pass"])]
    torch.manual_seed(3)
    replies = 4000
    drawn = reads.generate(**prompt, num_return_sequences=replies)[:, 3:].numpy()
    logits = logits_of(model, [WORDS.tokens(["kuhn_poker", "J", "pass"])])[0, -1].astype(float)
    share = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    seen = np.bincount(drawn[:, 0], minlength=SIZE.vocabulary) / replies
    assert (np.abs(seen - share) < 4.5 * np.sqrt(share * (1 - share) / replies) + 1e-3).all()
    ends = WORDS.stops()[drawn] & (drawn > 0)
    assert (ends.sum(axis=1) <= 1).all()
    after = np.cumsum(ends, axis=1) - ends > 0
    assert (drawn[after] == 0).all() and drawn.shape[1] == WORDS.longest + 1
