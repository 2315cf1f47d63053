"""Language models behind a server: one client for every OpenAI-compatible one, such as vLLM, llama.cpp or Ollama.

    chat = connect("http://127.0.0.1:8000/v1#Qwen/Qwen3-0.6B", "replies")
    [reply] = chat.ask([[{"role": "user", "content": "Pass or bet?"}]], seeds=[0])

Only POST /chat/completions is used. Every reply is kept by content (replies.py), so a second run asks nothing. Whatever
a server does wrong (completions.py reads what it sends) ends in a retry or in one of two errors, with everything that
was paid for on the record.
"""

import math
import operator
import os
import random
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ludus.models.completions import choice_of, reply_of, request_of, seconds_of, status_of, words_of
from ludus.models.replies import Kept, Reply, clean, keep, key_of, recall

__all__ = ["BudgetSpent", "Chat", "ChatModel", "Limits", "Message", "Reply", "Scripted", "ServerFailed", "connect"]

Message = dict[str, str]  # role and content

LONGEST = 32 * 2**20  # bytes of a server's answer; none that is meant so is near
PAUSES = 0.5, 30.0  # seconds before the first retry, doubled with each, and at most
UNREACHED = 2  # retries while no server has answered yet: it is more likely not there than busy
GOES_ON = "What was answered is on the record: the same again goes on from there."


class ChatModel(Protocol):
    """Anything that answers conversations."""

    name: str

    def ask(
        self,
        conversations: Sequence[Sequence[Message]],
        seeds: Sequence[int],
        choices: Sequence[Sequence[str]] | None = None,
    ) -> list[Reply]:
        """One reply per conversation, in their order.

        seeds    one per conversation: the same words under another seed are another sample, under the same the same
        choices  the allowed answers to each conversation (none: any), forced where the server can; what is no choice
                 comes back as it is, for the caller to read
        """
        ...


class ServerFailed(RuntimeError):
    """The server did not answer, after all retries, or says that it never will. The message says what to do."""


class BudgetSpent(RuntimeError):
    """A cap of Limits is reached. The message says how to go on."""


class Limits(NamedTuple):
    """What a client may spend and how patient it is.

    requests_per_minute  started at most, evenly spaced; None: no limit
    dollars              cap on the money; needs the prices
    price_in, price_out  dollars for a million tokens of the questions, of the replies
    tokens               cap on the tokens of both
    timeout              seconds for one request, and the longest that a server may ask to wait
    retries              further tries of a request that failed

    A cap is overshot by the calls in flight when it is reached, at most. A call of unknown cost (the server does not
    count, the reply broke off, nothing came in time) is charged as the most it can have been.
    """

    requests_per_minute: float | None = None
    dollars: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    tokens: int | None = None
    timeout: float = 300.0
    retries: int = 8


def stated_limits() -> Limits:
    """The limits that the environment states: the most dollars to spend, and what a million tokens in and out cost.

    LUDUS_DOLLARS=5 LUDUS_PRICES=0.15,0.60. Raises ValueError where one is no number, or where the prices are missing.
    """
    dollars, prices = os.environ.get("LUDUS_DOLLARS", ""), os.environ.get("LUDUS_PRICES", "")
    if not (dollars or prices):
        return Limits()
    try:
        price_in, price_out = map(float, prices.split(","))
        return Limits(dollars=float(dollars) if dollars else None, price_in=price_in, price_out=price_out)
    except ValueError:
        raise ValueError(
            f"LUDUS_DOLLARS={dollars!r} and LUDUS_PRICES={prices!r} cap the money spent; write for example "
            "LUDUS_DOLLARS=5 LUDUS_PRICES=0.15,0.60, the prices in dollars for a million tokens in and out"
        ) from None


def connect(
    agent: str,
    folder: Path | str,
    *,
    temperature: float = 1.0,
    max_tokens: int = 512,
    concurrency: int = 8,
    limits: Limits | None = None,
) -> "Chat":
    """A client of the server that `agent` names, "http://127.0.0.1:8000/v1#MODEL". Nothing is sent yet.

    folder       where replies are kept; any number of processes may share it
    max_tokens   of one reply
    concurrency  requests in flight at a time
    limits       those that the environment states, unless given

    The key is LUDUS_API_KEY of the environment, else OPENAI_API_KEY, else none. Raises ValueError for bad arguments.
    """
    address = _address(agent)
    limits = stated_limits() if limits is None else limits
    _check_numbers(temperature, max_tokens, concurrency, limits)
    key = (os.environ.get("LUDUS_API_KEY") or os.environ.get("OPENAI_API_KEY") or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key holds a character no key has; set LUDUS_API_KEY to the key and nothing else")
    return Chat(address, key, Path(folder), float(temperature), max_tokens, concurrency, limits)


class Chat:
    """A model behind a server; made by `connect`.

    name      the model's
    requests  sent so far, the failed ones with them
    tokens    charged so far, of questions and replies
    dollars   charged so far
    sleep     what waits, and
    clock     what time it is, in seconds: tests put others here
    """

    def __init__(
        self,
        address: "_Address",
        key: str,
        folder: Path,
        temperature: float,
        max_tokens: int,
        concurrency: int,
        limits: Limits,
    ) -> None:
        self.name = address.model
        self.requests = 0
        self.tokens = 0
        self.dollars = 0.0
        self.sleep: Callable[[float], None] = time.sleep
        self.clock: Callable[[], float] = time.monotonic
        self._url, self._host, self._key, self._folder = address.url, address.host, key, folder
        self._temperature, self._max_tokens, self._concurrency = temperature, max_tokens, concurrency
        self._limits = limits
        self._lock = threading.Lock()  # over the counts, the next start and the client
        self._next = -math.inf  # when the next request may start
        self._client: Any = None
        self._met = False  # whether the server has answered anything yet
        self._constrain = True  # whether choices are sent as a constraint
        self._length = "max_tokens"  # how the server calls it
        self._found: set[bool] = set()  # what replies to questions with choices showed
        self._random = random.Random()  # for pauses only: no result depends on it

    @property
    def constrains(self) -> bool | None:
        """Whether the server answers with the choices only: seen to, seen not to, or None, not known yet."""
        return False if False in self._found else True if self._found else None

    def ask(
        self,
        conversations: Sequence[Sequence[Message]],
        seeds: Sequence[int],
        choices: Sequence[Sequence[str]] | None = None,
    ) -> list[Reply]:
        """See ChatModel. Raises ServerFailed and BudgetSpent, after the calls in flight are done and on the record.

        It blocks, in a running event loop too: the requests run in threads of their own.
        """
        questions = [
            {
                "model": self.name,
                "messages": messages,
                "choices": allowed,
                "temperature": self._temperature,
                "max_tokens": self._max_tokens,
                "seed": seed,
            }
            for messages, seed, allowed in _checked(conversations, seeds, choices)
        ]
        keys = [key_of(question) for question in questions]
        once = dict(zip(keys, questions, strict=True))
        known = {key: kept for key, question in once.items() if (kept := recall(self._folder, question)) is not None}
        known |= self._ask_all({key: question for key, question in once.items() if key not in known})
        return [self._read(known[key], question) for key, question in zip(keys, questions, strict=True)]

    def _ask_all(self, questions: dict[str, dict[str, Any]]) -> dict[str, Kept]:
        """Several at a time; stops at the first error, when the calls in flight are done."""
        left = iter(questions.items())
        turn, stop = threading.Lock(), threading.Event()
        known: dict[str, Kept] = {}
        faults: list[BaseException] = []

        def work() -> None:
            while not stop.is_set():
                with turn:
                    key, question = next(left, ("", None))
                if question is None:
                    return
                try:
                    known[key] = self._ask_one(question, stop)
                except BaseException as fault:  # handed to the thread that asked
                    faults.append(fault)
                    stop.set()

        # Daemons: Ctrl-C ends the program although a server keeps a thread waiting.
        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(self._concurrency, len(questions)))]
        if threads:
            self._open()
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            stop.set()
        if faults:
            raise faults[0]
        return known

    def _ask_one(self, question: dict[str, Any], stop: threading.Event) -> Kept:
        """Ask until there is a reply, and put that on the record."""
        failed, plain = 0, False
        while True:
            constrain = bool(question["choices"]) and self._constrain and not plain
            length = self._length
            self._admit(stop)
            try:
                reply = self._post(request_of(question, constrain, length), question["max_tokens"])
                break
            except _Rejected as fault:
                if length == "max_tokens" and "max_completion_tokens" in str(fault):  # OpenAI's reasoning models
                    self._length = "max_completion_tokens"
                elif constrain:
                    plain = True
                else:
                    raise ServerFailed(f"{fault} {GOES_ON}") from None
            except _Fault as fault:
                failed += 1
                self._pause(fault, failed, stop)
        if plain or (constrain and choice_of(reply, question["choices"])[1] is False):
            self._constrain = False
        return keep(self._folder, question, Kept(reply, constrain))

    def _read(self, kept: Kept, question: dict[str, Any]) -> Reply:
        """The reply to a question; a choice that came as JSON is taken out of it."""
        if not question["choices"]:
            return kept.reply
        choice, constrained = choice_of(kept.reply, question["choices"])
        if not kept.constrained:
            self._found.add(False)
        elif constrained is not None:
            self._found.add(constrained)
        return kept.reply if choice is None else kept.reply._replace(text=choice)

    # One request

    def _open(self) -> None:
        with self._lock:
            if self._client is None:
                try:
                    import httpx2
                except ImportError as fault:
                    message = "a model server needs the llm extra: pip install 'ludus[llm]'"
                    raise ModuleNotFoundError(message, name="httpx2") from fault
                headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "ludus"}
                if self._key:
                    headers["Authorization"] = f"Bearer {self._key}"
                timeout = self._limits.timeout
                here = self._host in ("127.0.0.1", "localhost", "::1")
                self._client = httpx2.Client(
                    headers=headers,
                    timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0), pool=None),
                    limits=httpx2.Limits(max_connections=None, max_keepalive_connections=self._concurrency),
                    trust_env=not here,  # no proxy on the way to this very machine
                    verify=not (
                        here and self._url.startswith("http:")
                    ),  # nothing to verify, and 40 ms to prepare for it
                )

    def _post(self, body: bytes, max_tokens: int) -> Reply:
        """One request: a reply, _Fault where another try may help, _Rejected or ServerFailed where none will."""
        import httpx2

        until = self.clock() + self._limits.timeout
        data = bytearray()
        worst = len(body), max_tokens  # a token of the question is hardly ever less than a byte of the request
        try:
            with self._client.stream("POST", self._url, content=body) as response:
                for chunk in response.iter_bytes():
                    data += chunk
                    if self.clock() > until:
                        raise httpx2.ReadTimeout("the reply came too slowly")
                    if len(data) > LONGEST:
                        raise httpx2.ReadError(f"the reply is longer than {LONGEST} bytes")
        except httpx2.ConnectError as fault:
            advice = "Is the server running, and is that its address? Start it, as with: vllm serve MODEL"
            raise _Fault(f"cannot be reached ({self._clean(str(fault))})", advice, reached=self._met) from fault
        except (httpx2.ConnectTimeout, httpx2.WriteTimeout, httpx2.WriteError) as fault:
            raise _Fault(f"does not take the request ({self._clean(str(fault))})", "Is it overloaded?") from fault
        except httpx2.TimeoutException as fault:
            self._charge(*worst)
            advice = "Raise Limits(timeout=...), or lower max_tokens or concurrency."
            raise _Fault(f"did not answer within {self._limits.timeout:g} seconds", advice) from fault
        except httpx2.RequestError as fault:
            self._charge(*worst)
            raise _Fault(f"broke off its answer ({self._clean(str(fault))})", "Look into the server's log.") from fault
        self._met = True
        if 200 <= response.status_code < 300:
            try:
                reply, counted = reply_of(bytes(data))
            except ValueError as fault:
                self._charge(*worst)
                advice = "Is that an OpenAI-compatible server? Its address mostly ends in /v1."
                raise _Fault(f"sent no chat completion: {self._clean(str(fault))}", advice) from fault
            self._charge(*((reply.tokens_in, reply.tokens_out) if counted else worst))
            return reply
        raise self._refusal(response.status_code, response.headers.get("retry-after"), bytes(data))

    def _refusal(self, status: int, retry_after: str | None, data: bytes) -> Exception:
        """The error that a status other than success stands for."""
        words = self._clean(words_of(data))
        answer = f"status {status}{': ' if words else ''}{words.rstrip('.')}"
        if status in (408, 409, 429) or status >= 500:
            wait = seconds_of(retry_after)
            advice = {429: "Lower concurrency, or set Limits(requests_per_minute=...)."}
            fault = _Fault(f"answered with {answer}", advice.get(status, "Look into the server's log."), wait)
            if wait is not None and wait > self._limits.timeout:
                return ServerFailed(f"{self._url} asks to be left alone for {wait:g} seconds ({answer}). {GOES_ON}")
            return fault
        message = f"{self._url} answered with {answer}."
        if status in (400, 422):
            return _Rejected(f"{message} Is {self.name!r} the model's name, and is the conversation short enough?")
        advice = {
            401: "Set LUDUS_API_KEY to a key for this server.",
            403: "Set LUDUS_API_KEY to a key that may use this model.",
            402: "The account has no credit left.",
            404: f"Check the address, which mostly ends in /v1, and the model's name, now {self.name!r}.",
            405: "Check the address, which mostly ends in /v1.",
            413: "The conversation is too long for this server.",
        }
        if 300 <= status < 400:
            return ServerFailed(f"{message} It points elsewhere: give that address. {GOES_ON}")
        return ServerFailed(f"{message} {advice.get(status, 'The request does not suit this server.')} {GOES_ON}")

    def _clean(self, words: str) -> str:
        """Words of a server for a person's eyes: one line, without the key."""
        if self._key:
            words = words.replace(self._key, "(the key)")
        words = "".join(letter if letter.isprintable() else " " for letter in clean(words))
        return words if len(words) <= 300 else words[:300] + " ..."

    # Waiting and paying

    def _admit(self, stop: threading.Event) -> None:
        """Wait for this request's turn, then see whether it may be paid for."""
        rate, cap = self._limits.requests_per_minute, self._limits
        if rate is not None:
            with self._lock:
                now = self.clock()
                start = max(now, self._next)
                self._next = start + 60.0 / rate
            self._wait(start - now, stop)
        with self._lock:
            if cap.dollars is not None and self.dollars >= cap.dollars:
                spent, raised = f"${self.dollars:.4f} of ${cap.dollars:g} are", "Limits(dollars=...)"
            elif cap.tokens is not None and self.tokens >= cap.tokens:
                spent, raised = f"{self.tokens} of {cap.tokens} tokens are", "Limits(tokens=...)"
            else:
                self.requests += 1
                return
        raise BudgetSpent(f"{spent} spent, by {self.requests} requests. To go on raise {raised}. {GOES_ON}")

    def _charge(self, tokens_in: int, tokens_out: int) -> None:
        with self._lock:
            self.tokens += tokens_in + tokens_out
            self.dollars += (tokens_in * self._limits.price_in + tokens_out * self._limits.price_out) / 1e6

    def _pause(self, fault: "_Fault", failed: int, stop: threading.Event) -> None:
        """Wait before the next try, as long as the server says or twice as long as the last time; or give up."""
        if failed > (self._limits.retries if fault.reached else min(self._limits.retries, UNREACHED)):
            tries = "" if failed == 1 else f", at the last of {failed} tries"
            raise ServerFailed(f"{self._url} {fault}{tries}. {fault.advice} {GOES_ON}") from fault
        seconds = fault.wait
        if seconds is None:
            first, most = PAUSES
            seconds = min(most, first * 2.0 ** (failed - 1)) * (0.5 + self._random.random() / 2)
        self._wait(seconds, stop)

    def _wait(self, seconds: float, stop: threading.Event) -> None:
        """In short steps, so that the end of the others is seen soon."""
        while seconds > 0 and not stop.is_set():
            self.sleep(min(seconds, 0.5))
            seconds -= 0.5
        if stop.is_set():
            raise _Stopped


class Scripted:
    """A model made of a function of the messages and the seed: for tests and stand-ins.

    answer  gives the text, or a whole Reply
    """

    def __init__(self, answer: Callable[[Sequence[Message], int], str | Reply], name: str = "scripted") -> None:
        self.name = name
        self._answer = answer

    def ask(
        self,
        conversations: Sequence[Sequence[Message]],
        seeds: Sequence[int],
        choices: Sequence[Sequence[str]] | None = None,
    ) -> list[Reply]:
        """See ChatModel. Raises the errors of the function."""
        replies = []
        for messages, seed, _ in _checked(conversations, seeds, choices):
            reply = self._answer(messages, seed)
            replies.append(Reply(reply, "", status_of(reply), 0, 0) if isinstance(reply, str) else reply)
        return replies


class _Fault(Exception):
    """A request that failed, and another try may help. reached: whether a server is known to be there."""

    def __init__(self, what: str, advice: str, wait: float | None = None, reached: bool = True) -> None:
        super().__init__(what)
        self.advice, self.wait, self.reached = advice, wait, reached


class _Rejected(Exception):
    """The server does not take a request of this form."""


class _Stopped(Exception):
    """Another thread met an error."""


def _checked(
    conversations: Sequence[Sequence[Message]], seeds: Sequence[int], choices: Sequence[Sequence[str]] | None
) -> list[tuple[list[Message], int, list[str] | None]]:
    """(messages, seed, choices) of each conversation, as plain JSON. ValueError and TypeError name what is wrong."""
    for name, given in (("seeds", seeds), ("choices", choices)):
        if given is not None and len(given) != len(conversations):
            raise ValueError(f"{name} are one per conversation, got {len(given)} for {len(conversations)}")
    checked = []
    for place, messages in enumerate(conversations):
        if not len(messages):
            raise ValueError(f"conversations[{place}] is empty; give it at least one message")
        for message in messages:
            if not (isinstance(message, Mapping) and set(message) == {"role", "content"}) or not all(
                isinstance(text, str) for text in message.values()
            ):
                raise TypeError(
                    f"conversations[{place}]: a message is a dict of two texts, role and content, got {message!r:.200}"
                )
        try:
            seed = operator.index(seeds[place])
        except TypeError:
            raise TypeError(f"seeds[{place}] is a whole number, got {seeds[place]!r}") from None
        if not 0 <= seed < 2**63:  # what servers take
            raise ValueError(f"seeds[{place}] is at least 0 and below 2**63, got {seed}")
        allowed = list(choices[place]) if choices is not None else []
        if not all(isinstance(choice, str) and choice for choice in allowed) or len(set(allowed)) < len(allowed):
            raise ValueError(f"choices[{place}] are different texts, none of them empty, got {allowed!r}")
        checked.append(([dict(message) for message in messages], seed, allowed or None))
    return checked


class _Address(NamedTuple):
    """Where chat completions are asked for, on which host, of which model."""

    url: str
    host: str
    model: str


def _address(agent: str) -> _Address:
    """An agent text taken apart; ValueError where it is none."""
    form = "write it as http://127.0.0.1:8000/v1#MODEL"
    base, _, model = agent.partition("#")
    try:
        parts = urllib.parse.urlsplit(base)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError(f"agent is a server's address and a model's name, got {agent!r} ({fault}); {form}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("agent holds a name or a password; leave them out and set LUDUS_API_KEY")
    if parts.scheme not in ("http", "https") or not host or not base.isprintable() or " " in base:
        raise ValueError(f"agent is a server's address and a model's name, got {agent!r}; {form}")
    if parts.query:
        raise ValueError(f"agent takes no ?, since an address may be shown and a query may hold a key; {form}")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return _Address(f"{parts.scheme}://{parts.netloc}{path}/chat/completions", host, model or "default")


def _check_numbers(temperature: float, max_tokens: int, concurrency: int, limits: Limits) -> None:
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature is a number from 0, got {temperature!r}")
    counts = {"max_tokens": (max_tokens, 1), "concurrency": (concurrency, 1), "limits.retries": (limits.retries, 0)}
    for name, (count, least) in counts.items():
        if not isinstance(count, int) or count < least:
            raise ValueError(f"{name} is a whole number from {least}, got {count!r}")
    for name in ("requests_per_minute", "timeout"):
        if (number := getattr(limits, name)) is not None and not 0 < number < math.inf:
            raise ValueError(f"limits.{name} is a number above 0, got {number!r}")
    for name in ("dollars", "tokens", "price_in", "price_out"):
        if (number := getattr(limits, name)) is not None and not 0 <= number < math.inf:
            raise ValueError(f"limits.{name} is a number from 0, got {number!r}")
    if limits.dollars is not None and not (limits.price_in or limits.price_out):
        raise ValueError("limits.dollars needs price_in and price_out, in dollars for a million tokens")
