"""A language model as a player: it reads its view in words, thinks on a scratchpad, and writes an action.

A prompt is the game's name and `tell(view)`. A reply is up to `longest` thoughts and then an action in brackets, as in
"good even [bet]". A reply that is anything else, or names an illegal action, forfeits: the player then acts
uniformly at random over its legal actions. Outcome, legality and format are recorded apart.

Where all scratchpads can be listed, the policy is read off exactly: the probability of an action is the sum over
scratchpads of the probability of writing that scratchpad and then the action.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
import torch

from ludus.models.transformer import Transformer, causal, sample
from ludus.tree import TooLarge

PADDING = "<padding>"
MOST_SCRATCHPADS = 10_000


class Told(Protocol):
    """What a language player must know of a game, or of any question with a fixed list of answers; a Game will do."""

    @property
    def name(self) -> str: ...

    @property
    def words(self) -> tuple[str, ...]: ...

    @property
    def tell(self) -> Callable[[np.ndarray], str]: ...


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words a small model knows, and the form of its replies.

    words    all tokens; token 0 is padding
    thoughts the words allowed on the scratchpad
    longest  the most thoughts in one reply
    widths   game name -> tokens of its longest prompt
    """

    words: tuple[str, ...]
    thoughts: tuple[str, ...]
    longest: int
    widths: dict[str, int]

    @cached_property
    def number(self) -> dict[str, int]:
        """word -> token."""
        return {word: token for token, word in enumerate(self.words)}

    def tokens(self, words: Iterable[str]) -> list[int]:
        """Raises KeyError naming a word that the model does not know."""
        return [self.number[word] for word in words]

    def text(self, tokens: Iterable[int]) -> str:
        """The words of a row of tokens, padding left out."""
        return " ".join(self.words[token] for token in tokens if token)

    @cached_property
    def thought_tokens(self) -> np.ndarray:
        """int64[number of thoughts]"""
        return np.array(self.tokens(self.thoughts), np.int64)

    @cached_property
    def scratchpads(self) -> list[tuple[int, ...]]:
        """Every scratchpad as a row of thought numbers, shorter ones first; the first is empty."""
        count = sum(len(self.thoughts) ** length for length in range(self.longest + 1))
        if count > MOST_SCRATCHPADS:
            raise TooLarge(
                f"longest: {len(self.thoughts)} thoughts and {self.longest} of them make {count:,} scratchpads; at "
                f"most {MOST_SCRATCHPADS:,} can be listed; use fewer, or count sampled replies with `tally`"
            )
        return [row for length in range(self.longest + 1) for row in product(range(len(self.thoughts)), repeat=length)]

    def stops(self) -> np.ndarray:
        """bool[vocabulary], True for the tokens that end a reply: all but the thoughts."""
        stops = np.ones(len(self.words), bool)
        stops[self.thought_tokens] = False
        return stops


def lexicon(
    games: Iterable[tuple[Told, np.ndarray]], thoughts: tuple[str, ...], longest: int, more: Iterable[str] = ()
) -> Lexicon:
    """The lexicon of some games and all their views int64[K, V]: names, words of the views, actions in brackets."""
    words: dict[str, None] = dict.fromkeys([PADDING, *thoughts, *more])
    widths = {}
    for game, views in games:
        told = [game.tell(view).split() for view in views]
        words |= dict.fromkeys([game.name, *(f"[{word}]" for word in game.words)])
        words |= dict.fromkeys(word for row in told for word in row)
        widths[game.name] = 1 + max(map(len, told))
    return Lexicon(tuple(words), thoughts, longest, widths)


class Reading(NamedTuple):
    """A language player, read off at K views; exact up to rounding of float32 logits.

    table      float64[K, A], the policy, forfeits included
    empty      float64[K], probability of a reply without a thought
    thoughts   float64[K], expected number of thoughts, where the reply is well formed
    malformed  float64[K], probability of a reply that is no thoughts and an action
    illegal    float64[K], probability of a well-formed reply with an illegal action
    """

    table: np.ndarray
    empty: np.ndarray
    thoughts: np.ndarray
    malformed: np.ndarray
    illegal: np.ndarray


@dataclass(frozen=True, eq=False)
class LanguagePlayer:
    """A model that plays one game. It may sit on several seats of a game at once: the view says where it sits.

    The same object on every seat is self-play.
    """

    model: Transformer
    lexicon: Lexicon
    game: Told
    _seen: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def action_tokens(self) -> np.ndarray:
        """int64[A]"""
        return np.array(self.lexicon.tokens(f"[{word}]" for word in self.game.words), np.int64)

    def prompts(self, views: np.ndarray) -> np.ndarray:
        """int64[B, width], left-padded with zeros."""
        return np.stack([self._prompt(view) for view in views])

    def _prompt(self, view: np.ndarray) -> np.ndarray:
        key = view.tobytes()
        if key not in self._seen:
            tokens = self.lexicon.tokens([self.game.name, *self.game.tell(view).split()])
            row = np.zeros(self.lexicon.widths[self.game.name], np.int64)
            row[len(row) - len(tokens) :] = tokens
            self._seen[key] = row
        return self._seen[key]

    def choose(
        self, views: np.ndarray, legal: np.ndarray, uniforms: Callable[[int], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Write one reply per view: actions int64[B], the probability of each reply float64[B], and notes.

        The notes are prompt int64[B, width], reply int64[B, longest + 1], log_prob float64[B, longest + 1],
        thoughts int64[B], and well_formed, lawful bool[B]; a reply that is not both has forfeited.
        """
        prompts = self.prompts(views)
        uniform = uniforms(self.lexicon.longest + 2)
        replies = sample(self.model, prompts, prompts != 0, uniform[:, :-1], self.lexicon.stops())
        last = replies.tokens[np.arange(len(views)), replies.length - 1]
        matches = last[:, None] == self.action_tokens
        action, well_formed = matches.argmax(axis=1), matches.any(axis=1)
        lawful = well_formed & legal[np.arange(len(views)), action]
        rank = (uniform[:, -1] * legal.sum(axis=1)).astype(np.int64)
        forfeit = (legal.cumsum(axis=1) > rank[:, None]).argmax(axis=1)
        notes = {
            "prompt": prompts,
            "reply": replies.tokens,
            "log_prob": replies.log_prob,
            "thoughts": replies.length - well_formed,
            "well_formed": well_formed,
            "lawful": lawful,
        }
        return np.where(lawful, action, forfeit), np.exp(replies.log_prob.sum(axis=1)), notes


@torch.no_grad()
def read_off(player: LanguagePlayer, views: np.ndarray, legal: np.ndarray, batch: int = 4096) -> Reading:
    """The exact policy at views int64[K, V] with legal bool[K, A], as a tree holds them.

    Raises TooLarge where the scratchpads cannot all be listed.

    All scratchpads of a prompt go through the model in one row: each thought sees the prompt and the thoughts before
    it on its own scratchpad, and no other. So a row costs its prompt and one token per scratchpad.
    """
    lexicon = player.lexicon
    pads = lexicon.scratchpads
    place = {pad: number for number, pad in enumerate(pads)}
    parent = np.array([place[pad[:-1]] for pad in pads[1:]], np.int64)
    depth = np.array([len(pad) for pad in pads])
    thought = lexicon.thought_tokens[[pad[-1] for pad in pads[1:]]]
    ancestors = np.zeros((len(pads), len(pads)), bool)
    for number, pad in enumerate(pads):
        ancestors[number, [place[pad[:length]] for length in range(1, len(pad) + 1)]] = True
    parts = [
        _read_batch(
            player, views[start : start + batch], legal[start : start + batch], parent, depth, thought, ancestors
        )
        for start in range(0, len(views), batch)
    ]
    return Reading(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _read_batch(player, views, legal, parent, depth, thought, ancestors) -> Reading:
    prompts = torch.from_numpy(player.prompts(views))
    rows, width = prompts.shape
    pads = len(depth)
    mask, positions = causal(prompts != 0)
    logits, cache = player.model(prompts, mask, positions)
    after = [logits[:, -1:]]
    if pads > 1:
        sees_prompt = (prompts != 0)[:, None].expand(rows, pads - 1, width)
        sees_pad = torch.from_numpy(ancestors[1:, 1:]).expand(rows, pads - 1, pads - 1)
        ahead = positions[:, -1:] + torch.from_numpy(depth[1:])
        tokens = torch.from_numpy(thought).expand(rows, pads - 1)
        after.append(player.model(tokens, torch.cat([sees_prompt, sees_pad], dim=2), ahead, cache)[0])
    next_ = torch.cat(after, dim=1).double().softmax(-1).numpy()  # [rows, pads, vocabulary]
    written = np.ones((rows, pads))
    for number in range(1, pads):  # shorter scratchpads come first
        written[:, number] = written[:, parent[number - 1]] * next_[:, parent[number - 1], thought[number - 1]]
    ended = written[:, :, None] * next_[:, :, player.action_tokens]
    by_action = ended.sum(axis=1)
    lawful = by_action * legal
    well_formed, by_law = by_action.sum(axis=1), lawful.sum(axis=1)
    table = lawful + (1 - by_law)[:, None] * legal / legal.sum(axis=1, keepdims=True)
    length = (ended.sum(axis=2) * depth).sum(axis=1) / np.maximum(well_formed, 1e-300)
    empty = 1 - written[:, depth == 1].sum(axis=1) if pads > 1 else np.ones(rows)
    return Reading(table, empty, length, 1 - well_formed, well_formed - by_law)


def tally(
    player: LanguagePlayer, views: np.ndarray, legal: np.ndarray, replies: int, rng: np.random.Generator
) -> np.ndarray:
    """Count the actions of sampled replies at each view: int64[K, A], forfeits drawn as in play.

    For players whose scratchpads are too many to list; `measure.nash_conv.sampled_nash_conv` turns counts into a Value.
    """
    if replies < 1:
        raise ValueError(f"replies: must be at least 1, it was {replies}")
    counts = np.zeros(legal.shape, np.int64)
    for _ in range(replies):
        action, _, _ = player.choose(views, legal, lambda count: rng.random((len(views), count)))
        counts[np.arange(len(views)), action] += 1
    return counts
