"""A model server that does what the test says: answers, fails, hangs, breaks off. On the loopback address, in a thread.

    with serve(lambda request: completion("yes")) as server:
        connect(server.agent, folder).ask(...)
        assert len(server.seen) == 1

What a server sends is a function of the request, so that a test with faults is the same in every run and with any
number of threads at a time.
"""

import asyncio
import contextlib
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What a client sent. attempt: how many requests of the same bytes there were, this one with them."""

    path: str
    headers: dict[str, str]
    body: bytes
    attempt: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """The last message."""
        return self.json["messages"][-1]["content"]

    def chance(self, salt: str) -> float:
        """A number in [0, 1) that is this request's own, uniform over requests and attempts."""
        digest = hashlib.sha256(b"%b %d " % (salt.encode(), self.attempt) + self.body).digest()
        return int.from_bytes(digest[:6]) / 2**48


class Answer(NamedTuple):
    """The bytes of a whole HTTP response, or a part of it. None: nothing comes, ever.

    close  whether the connection ends after them
    every  seconds between one byte of the body and the next; 0: all at once
    """

    data: bytes | None
    close: bool = False
    every: float = 0.0


def answer(status: int, body: bytes, **headers: str) -> Answer:
    """Header names are written with _ for -."""
    lines = [f"HTTP/1.1 {status} Word", f"content-length: {len(body)}", "content-type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Answer("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def completion(text: Any, finish: Any = "stop", usage: Any = (10, 5), **message: Any) -> Answer:
    """A chat completion. usage: tokens in and out, or None."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
    stored: dict[str, Any] = {"object": "chat.completion", "choices": [choice]}
    if usage is not None:
        stored["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return answer(200, json.dumps(stored).encode())


HANG = Answer(None)


def cut(whole: Answer) -> Answer:
    """The same without its last bytes."""
    return Answer(whole.data[:-7], close=True)


class Server:
    """seen: the requests so far, in the order of their arrival."""

    def __init__(self, reply: Callable[[Request], Answer]) -> None:
        self.reply = reply
        self.seen: list[Request] = []
        self.port = 0
        self._attempts: Counter[bytes] = Counter()

    @property
    def agent(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1#tiny"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self._attempts[body] += 1
        request = Request(path, headers, body, self._attempts[body])
        self.seen.append(request)
        return self.reply(request)


@contextlib.contextmanager
def serve(reply: Callable[[Request], Answer]) -> Iterator[Server]:
    server = Server(reply)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> asyncio.Server:
        return await loop.create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=512)

    async def end() -> None:
        listening.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    listening = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Connection(asyncio.Protocol):
    """Just enough of HTTP/1.1 for one request after another, which is cheap: ten thousand are a few seconds of CPU."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._left = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._left += data
        head, blank, rest = self._left.partition(b"\r\n\r\n")
        if not blank:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._left = rest[length:]
        sent = self._server.take(first.split()[1], headers, rest[:length])
        if sent.every:
            asyncio.get_running_loop().create_task(self._trickle(sent))
        elif sent.data is not None:
            self._transport.write(sent.data)
            if sent.close:
                self._transport.close()

    async def _trickle(self, sent: Answer) -> None:
        head, blank, body = sent.data.partition(b"\r\n\r\n")
        self._transport.write(head + blank)
        for byte in body:
            await asyncio.sleep(sent.every)
            self._transport.write(bytes([byte]))
