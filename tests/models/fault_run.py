"""Many calls to a server that fails in every way: none is lost, none is counted twice.

    python -m tests.models.fault_run 10000

20% of the requests are answered with 429 and Retry-After, 5% with 500, 2% hang, 1% break off within the reply.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.fault_server import HANG, Answer, Request, answer, completion, cut, serve

from ludus.models.chat import Limits, connect


class Figures(NamedTuple):
    """calls asked; right: replies that are the answer to their own question; answered: whole answers that the server
    sent; requests that it got, of which by fault; again: requests of a second run over the same record."""

    calls: int
    right: int
    answered: int
    most_per_question: int
    requests: int
    faults: dict[str, int]
    again: int
    same: bool
    seconds: float
    cpu: float


def storm(calls: int, folder: Path, concurrency: int = 32, timeout: float = 2.0) -> Figures:
    faults: Counter[str] = Counter()
    whole: Counter[bytes] = Counter()

    def reply(request: Request) -> Answer:
        chance = request.chance("storm")
        words = completion(f"the answer to {request.words} under {request.json['seed']}")
        for name, share, sent in (
            ("429", 0.20, answer(429, b'{"error":{"message":"slow down"}}', retry_after="0.01")),
            ("500", 0.05, answer(500, b"<html>Internal Server Error</html>")),
            ("hang", 0.02, HANG),
            ("cut", 0.01, cut(words)),
        ):
            if chance < share:
                faults[name] += 1
                return sent
            chance -= share
        whole[request.body] += 1
        return words

    conversations = [[{"role": "user", "content": f"question {call // 2}"}] for call in range(calls)]
    seeds = [call % 2 for call in range(calls)]
    expected = [f"the answer to question {call // 2} under {call % 2}" for call in range(calls)]
    with serve(reply) as server:
        limits = Limits(timeout=timeout, retries=20)
        chat = connect(server.agent, folder, concurrency=concurrency, limits=limits)
        chat.sleep = lambda seconds: time.sleep(seconds / 50)
        seconds, cpu = time.perf_counter(), time.process_time()
        replies = chat.ask(conversations, seeds)
        seconds, cpu = time.perf_counter() - seconds, time.process_time() - cpu
        requests = len(server.seen)
        assert chat.requests == requests
        same = connect(server.agent, folder, limits=limits).ask(conversations, seeds) == replies
        again = len(server.seen) - requests
    right = sum(reply.text == text for reply, text in zip(replies, expected, strict=True))
    most = max(whole.values())
    return Figures(calls, right, whole.total(), most, requests, dict(faults), again, same, seconds, cpu)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in storm(int(sys.argv[1]) if sys.argv[1:] else 10_000, Path(folder))._asdict().items():
            print(f"{name:18} {figure}")
