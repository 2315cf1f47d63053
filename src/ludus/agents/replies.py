r"""The action in a language model's reply: every text is read, none raises, and each is in exactly one class.

An answer is one action of the game in square brackets, `[bet]`, or the JSON pair `{"action": "bet"}`, among other words
or without any; or the action's bare name as the whole reply, `bet`. What is in doubt is no answer. In order:

Thinking   Up to the last `</think>`, and from a `<think>` that is not closed, nothing is read: templates that write the
           opening tag themselves leave the closing one alone in the reply. Nor is the server's reasoning field.
Quotation  Somebody else's words are no answer. Quoted are lines that begin with `>`, code fences as CommonMark closes
           them (the closing one no shorter than the opening one), and what stands between backticks, double quotation
           marks or guillemets; a bracket right beside a single quotation mark too. Where a mark or a fence is left
           without its partner nobody can say what is quoted: then nothing is own. Only an answer that is the whole
           reply may wear one of these wrappings: a fence around JSON, a name in backticks.
Naming     A name is the game's word, code point by code point, ASCII letters in either case and spaces around it
           ignored. There is no normalization: Arabic-Indic or fullwidth digits, look-alike letters, the long s, a
           name with an invisible character in it are not the word. A number counts only where it is the word itself.
Deciding   The same action named twice is one answer; two actions are `ambiguous`, wherever they stand: neither the
           first nor the last is preferred, since a model that repeats the menu has not chosen.

What cannot be told apart is a quotation that its writer did not mark; where the writer names its own action as well,
the reply is ambiguous, and no harm is done. So prompts show what others said in lines that begin with `>`, as mail does
(RFC 3676, section 4.5), and ask that it be quoted so: to mark every line of foreign text is spotlighting (Hines et al.
2024, arXiv:2403.14720), and a closing mark inside the foreign text cannot end the quotation.

Linear time: no expression repeats a repetition, every one consumes its text once from left to right, and nothing here
calls itself, so depth of nesting means nothing.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

CLASSES = ("legal", "illegal", "ambiguous", "malformed", "empty", "reasoning_only", "cut", "refused")
NONE = -1

_THINKING_ENDS = re.compile(r"</think(?:ing)?>", re.IGNORECASE | re.ASCII)
_THINKING_BEGINS = re.compile(r"<think(?:ing)?>", re.IGNORECASE | re.ASCII)
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)")
_MARKS = tuple(map(re.compile, ("`+", r'(?<!\\)"', "[“”„‟]", "[«»]", "[「」『』]")))
_PAIR = re.compile(r'[{,]\s*+"action"\s*+:\s*+(?:"\[?([^"\\\[\]\n]*)\]?"|(-?[0-9]++))(?=\s*+[,}])')
_BRACKETS = re.compile(r"(?<!['‘’])\[([^\[\]\n]*)\](?!['‘’])")
_BARE = re.compile(r'(\*\*|[*_`"]|)(\[)?([^\[\]`"*\n]*?)(?(2)\])\.?\1\.?')  # alone, in Markdown, with a full stop
_WORD = re.compile(r'[^\s\[\]`"“”„‟«»「」『』>][^\s\[\]`"“”„‟«»「」『』]*')
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Answer(NamedTuple):
    """What a reply came to.

    kind    one of CLASSES: `legal` and `illegal` are answers, all others have none. malformed: words, but no action of
            the game; empty: no words at all; reasoning_only: thinking, and no words after it; cut: the reply met its
            limit of tokens, so that what it would have said is not known; refused: the server says so. A refusal in
            words is malformed: nobody guesses.
    action  the number of the action, NONE without an answer
    """

    kind: str
    action: int


def labels(words: Sequence[str]) -> dict[str, int]:
    """Name -> number of the action. Raises ValueError where a word could not be told apart in a reply."""
    numbers: dict[str, int] = {}
    for number, word in enumerate(words):
        if not _WORD.fullmatch(word):
            raise ValueError(
                f"words: {word!r} cannot be read back from a reply; a word has no spaces, brackets, quotation marks or "
                "backticks, and does not begin with >"
            )
        if _name(word) in numbers:
            raise ValueError(
                f"words: {words[numbers[_name(word)]]!r} and {word!r} differ by case alone; give them different names"
            )
        numbers[_name(word)] = number
    return numbers


def read(text: str, numbers: Mapping[str, int], legal: np.ndarray, status: str = "ok", reasoning: str = "") -> Answer:
    """The answer in a reply, of a game whose actions have these `labels` and of which legal bool[A] are allowed now.

    status and reasoning are those of `models.chat.Reply`.
    """
    if status in ("cut", "refused"):
        return Answer(status, NONE)
    said = spoken(text)
    if not said:
        return Answer("reasoning_only" if text.strip() or reasoning.strip() else "empty", NONE)
    named = _named(said, numbers)
    if len(named) != 1:
        return Answer("ambiguous" if named else "malformed", NONE)
    action = named.pop()
    return Answer("legal" if legal[action] else "illegal", action)


def spoken(text: str) -> str:
    """A reply without its thinking and without the space around it."""
    return _THINKING_BEGINS.split(_THINKING_ENDS.split(text)[-1], maxsplit=1)[0].strip()


def _named(said: str, numbers: Mapping[str, int]) -> set[int]:
    """The numbers of all actions that are named outside of quotations."""
    text, blocks = _unfenced(said)
    if not text and len(blocks) == 1:
        text = _inside(blocks[0])
    if _name(text) in numbers:
        return {numbers[_name(text)]}
    bare = _BARE.fullmatch(text)
    names = [bare[3]] if bare else _BRACKETS.findall(_unquoted(_PAIR.sub(r" [\1\2] ", text)))
    return {numbers[name] for name in map(_name, names) if name in numbers}


def _inside(block: str) -> str:
    """What the fence around a whole reply may hold: a name, or JSON, of which the pairs count. Else it is a copy."""
    if block.startswith("{") and block.endswith("}"):
        return " ".join(f"[{text or number}]" for text, number in _PAIR.findall(block))
    return block if _BARE.fullmatch(block) else ""


def _unfenced(said: str) -> tuple[str, list[str]]:
    """The text without quoted lines and code fences, and what the fences hold; nothing where one is not closed."""
    outside: list[str] = []
    blocks: list[list[str]] = []
    fence = ""
    for line in map(str.strip, said.splitlines()):
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and not mark[2] and mark[1].startswith(fence):
                fence = ""
            else:
                blocks[-1].append(line)
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):  # else it is code within a line
            fence = mark[1]
            blocks.append([])
        elif not line.startswith(">"):
            outside.append(line)
    if fence:
        return "", []
    return "\n".join(outside).strip(), ["\n".join(block).strip() for block in blocks]


def _unquoted(text: str) -> str:
    """The text outside of quotation marks, "" where one lacks its partner. A line ends where a quotation stood."""
    for mark in _MARKS:
        pieces = mark.split(text)
        if len(pieces) % 2 == 0:
            return ""
        text = "\n".join(pieces[::2])
    return text


def _name(word: str) -> str:
    return word.strip().translate(_LOWER)
