"""A small transformer written out in Hugging Face's format, so that ordinary servers serve it.

    export(player.model, player.lexicon, Path("my_model"))      then, for example:   transformers serve my_model

The architecture there is GPT-2 (Radford et al. 2019), `GPT2LMHeadModel`: every weight of ours has one of theirs;
linear layers are stored transposed, and the output layer is the token embedding on both sides. Logits are the same but
for token 0: padding is never written here, and there its logit is one like any other, so `generation_config.json`
suppresses it. That file also says which tokens end a reply (all but the thoughts) and asks for plain sampling. A server
that does not read it has to be told both: `logit_bias` of token 0, and the stop tokens.

Only text and safetensors are written; the library `transformers` is not needed. A word of the lexicon is a token, with
its own number. A text with any other word is refused by the tokenizer, as the lexicon refuses it.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ludus.models.transformer import Transformer


class Words(Protocol):
    """What must be known of the words of a model; the Lexicon of `agents.language` will do.

    words    all tokens, the first is padding
    longest  the most thoughts in one reply
    widths   game name -> tokens of its longest prompt
    """

    @property
    def words(self) -> tuple[str, ...]: ...

    @property
    def longest(self) -> int: ...

    @property
    def widths(self) -> dict[str, int]: ...

    def stops(self) -> np.ndarray:
        """bool[vocabulary], True for the tokens that end a reply."""
        ...


def export(model: Transformer, lexicon: Words, folder: Path) -> None:
    """Write a folder that `transformers.AutoModelForCausalLM` and `AutoTokenizer` read; whole or not at all.

    Raises ValueError where the words do not fit the model, FileExistsError where the folder is there already.
    """
    if len(lexicon.words) != model.size.vocabulary:
        raise ValueError(
            f"lexicon: it has {len(lexicon.words)} words and the model {model.size.vocabulary} tokens; give the "
            "lexicon that the model was trained with"
        )
    if folder.exists():
        raise FileExistsError(f"folder: {folder} is there already; give a new name, or remove it first")
    texts = {
        "config.json": _config(model),
        "generation_config.json": _generation(lexicon),
        "tokenizer.json": _tokenizer(lexicon.words),
        "tokenizer_config.json": _tokenizer_config(model, lexicon),
        "special_tokens_map.json": {"pad_token": lexicon.words[0]},
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial.", dir=folder.parent))
    try:
        for name, content in texts.items():
            (partial / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        save_file(_weights(model), partial / "model.safetensors", metadata={"format": "pt"})
        partial.chmod(0o755)  # mkdtemp makes folders that no other user may read, such as a server's
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _weights(model: Transformer) -> dict[str, Tensor]:
    """Their name -> tensor. GPT-2 stores the weight of a linear layer as [in, out], torch as [out, in]."""
    ours = {
        "tokens": "wte",
        "positions": "wpe",
        "norm_attention": "ln_1",
        "queries_keys_values": "attn.c_attn",
        "attention_out": "attn.c_proj",
        "norm_mlp": "ln_2",
        "mlp_in": "mlp.c_fc",
        "mlp_out": "mlp.c_proj",
    }
    weights = {}
    for name, weight in model.state_dict().items():
        *blocks, part, kind = name.split(".")
        theirs = "ln_f" if part == "norm" else ours[part]
        linear = kind == "weight" and "." in theirs
        place = ".".join(["transformer", *(["h", blocks[1]] if blocks else []), theirs, kind])
        weights[place] = (weight.T if linear else weight).to("cpu", torch.float32).contiguous()
    return weights


def _config(model: Transformer) -> dict[str, Any]:
    size = model.size
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": size.vocabulary,
        "n_positions": size.context,
        "n_embd": size.width,
        "n_layer": size.layers,
        "n_head": size.heads,
        "n_inner": 4 * size.width,
        "activation_function": "gelu_new",  # the tanh approximation
        "layer_norm_epsilon": model.norm.eps,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": 0,
        "torch_dtype": "float32",
    }


def _generation(lexicon: Words) -> dict[str, Any]:
    """How `agents.language` samples: at temperature 1, from all tokens but padding, to the end of the reply."""
    return {
        "do_sample": True,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
        "max_new_tokens": lexicon.longest + 1,
        "suppress_tokens": [0],
        "eos_token_id": [int(token) for token in np.flatnonzero(lexicon.stops()) if token],
        "pad_token_id": 0,
    }


def _tokenizer(words: tuple[str, ...]) -> dict[str, Any]:
    """A tokenizer.json of the library `tokenizers`: words between white space, each a token.

    A word that holds white space itself, such as a game's name with numbers, is an added token, found before the text
    is split. The unknown word is none of the vocabulary: a text that needs it is an error.
    """
    added = [(0, words[0], True), *((token, word, False) for token, word in enumerate(words) if len(word.split()) > 1)]
    unknown = "<unknown>"
    while unknown in words:
        unknown = f"<{unknown}>"
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token, "content": word, **plain, "special": special} for token, word, special in added],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: token for token, word in enumerate(words)},
            "unk_token": unknown,
        },
    }


def _tokenizer_config(model: Transformer, lexicon: Words) -> dict[str, Any]:
    ends = [lexicon.words[token] for token in np.flatnonzero(lexicon.stops()) if token]
    only = {"eos_token": ends[0]} if len(ends) == 1 else {}  # trainers ask for one, and take no list
    return only | {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": lexicon.words[0],
        "padding_side": "left",
        "model_max_length": model.size.context,
        "clean_up_tokenization_spaces": False,
        "chat_template": _TEMPLATE.replace("NAMES", json.dumps(list(lexicon.widths), ensure_ascii=False)),
    }


# The prompt that the model was trained on is a game's name and the words of a view. `agents.chat` puts the name into
# its first message and the view into lines that begin with `>`; a message without such lines is a prompt as it stands.
_TEMPLATE = """\
{%- set found = namespace(name="", view="", said="") -%}
{%- for message in messages -%}
{%- if loop.first -%}
{%- for name in NAMES if message.content.startswith("You play a game, " ~ name ~ ".\\n") -%}
{%- set found.name = name -%}
{%- endfor -%}
{%- endif -%}
{%- if message.role == "user" -%}
{%- set found.said = message.content -%}
{%- set quoted = namespace(lines="") -%}
{%- for line in message.content.splitlines() if line.startswith(">") -%}
{%- set quoted.lines = quoted.lines ~ " " ~ line[1:].strip() -%}
{%- endfor -%}
{%- if quoted.lines.strip() -%}{%- set found.view = quoted.lines -%}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if found.view and not found.name -%}
{{- raise_exception("this model plays " ~ NAMES | join(", ") ~ "; no message says which of them is played") -}}
{%- endif -%}
{{- (found.name ~ found.view) if found.view else found.said.strip() -}}
"""
