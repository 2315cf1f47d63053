"""The client of model servers, against a server that fails, lies and hangs; and the record of what was replied."""

import asyncio
import datetime
import email.utils
import json
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.fault_server import HANG, Answer, answer, completion, cut, serve
from tests.models.fault_run import storm

from ludus.models.chat import PAUSES, BudgetSpent, Limits, Reply, Scripted, ServerFailed, connect, stated_limits
from ludus.models.replies import STATUSES

ASKED = [[{"role": "user", "content": "pass or bet?"}]]
CHOICES = [["pass", "bet"]]


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("LUDUS_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def quick(server, folder, **options):
    """A client that does not wait; chat.waited holds how long it would have."""
    chat = connect(server.agent, folder, **options)
    chat.waited = []
    chat.sleep = chat.waited.append
    return chat


def question(number):
    return [{"role": "user", "content": f"question {number}"}]


def questions(number):
    return [question(each) for each in range(number)]


# What is sent and what comes back


def test_one_call(tmp_path):
    with serve(lambda request: completion("bet", usage=(12, 3), reasoning="I hold a king.")) as server:
        [reply] = quick(server, tmp_path, temperature=0.5, max_tokens=64).ask(ASKED, seeds=[7])
    assert reply == Reply("bet", "I hold a king.", "ok", 12, 3)
    [request] = server.seen
    assert request.path == "/v1/chat/completions"
    assert request.json == {
        "model": "tiny",
        "messages": ASKED[0],
        "temperature": 0.5,
        "seed": 7,
        "max_tokens": 64,
        "stream": False,
    }
    assert "authorization" not in request.headers


def test_replies_come_in_the_order_of_the_questions_and_equal_questions_are_asked_once(tmp_path):
    def reply(request):
        time.sleep(request.chance("order") / 100)
        return completion(f"{request.words}, {request.json['seed']}")

    asked = [question(number % 10) for number in range(60)]
    seeds = [number % 3 for number in range(60)]  # 30 pairs, each twice
    with serve(reply) as server:
        replies = quick(server, tmp_path).ask(asked, seeds)
    assert [reply.text for reply in replies] == [f"question {n % 10}, {n % 3}" for n in range(60)]
    assert len(server.seen) == 30


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (completion(None), Reply("", "", "empty", 10, 5)),
        (completion(" \n"), Reply(" \n", "", "empty", 10, 5)),
        (completion("", reasoning_content="hm"), Reply("", "hm", "empty", 10, 5)),
        (completion("a", reasoning="now", reasoning_content="before"), Reply("a", "now", "ok", 10, 5)),
        (completion("a", reasoning=None, reasoning_content="hm"), Reply("a", "hm", "ok", 10, 5)),
        (completion("I thi", "length"), Reply("I thi", "", "cut", 10, 5)),
        (completion(None, "length", reasoning="so"), Reply("", "so", "cut", 10, 5)),
        (completion(None, refusal="I will not."), Reply("", "", "refused", 10, 5)),
        (completion("He", "content_filter"), Reply("He", "", "refused", 10, 5)),
        (completion("a", usage=None), Reply("a", "", "ok", 0, 0)),
        (completion([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), Reply("ab", "", "ok", 10, 5)),
        (completion("nul \x00 and half \ud83d"), Reply("nul \x00 and half \ufffd", "", "ok", 10, 5)),
        (completion("x" * 2**20), Reply("x" * 2**20, "", "ok", 10, 5)),
    ],
)
def test_statuses_and_odd_texts_come_back_the_same_from_the_record(tmp_path, sent, expected):
    with serve(lambda request: sent) as server:
        assert quick(server, tmp_path).ask(ASKED, [0]) == [expected]
        assert quick(server, tmp_path).ask(ASKED, [0]) == [expected]
    assert len(server.seen) == 1


ODD = [None, True, 0, -1, 1.5, 10**400, "", "word", [], [None], {}, {"a": 1}, float("nan")]


def test_any_json_in_any_field_is_a_reply_or_a_typed_error(tmp_path):
    """Each place of a completion replaced by each odd value, one after the other."""
    whole = json.loads(completion("bet", refusal=None, reasoning="hm").data.partition(b"\r\n\r\n")[2])
    places = [(), ("choices",), ("choices", 0), ("choices", 0, "finish_reason"), ("choices", 0, "message"), ("usage",)]
    places += [("choices", 0, "message", name) for name in ("content", "refusal", "reasoning", "reasoning_content")]
    places += [("usage", "prompt_tokens"), ("usage", "completion_tokens")]
    bodies = [json.dumps(put(whole, place, odd)).encode() for place in places for odd in ODD]
    bodies += [b"", b"\xff\xfe\x00", b"[" * 100_000, b"null", b'{"choices":', b"<html>", b'"\xc3"', b"1" * 5000]
    with serve(lambda request: answer(200, bodies[int(request.words.split()[1])])) as server:
        chat = quick(server, tmp_path, limits=Limits(retries=1))
        outcomes = []
        for number in range(len(bodies)):
            try:
                [reply] = chat.ask([question(number)], [0])
            except ServerFailed as fault:
                assert "sent no chat completion" in str(fault) and len(str(fault)) < 1000
                outcomes.append("failed")
            else:
                assert [type(field) for field in reply] == [str, str, str, int, int]
                assert reply.tokens_in in (0, 10) and reply.tokens_out in (0, 5)
                outcomes.append(reply.status)
    assert set(outcomes[-8:]) == {"failed"}  # none of these is a completion
    assert set(outcomes) == {"ok", "empty", "refused", "failed"}


def put(stored, place, value):
    """A copy with another value in its place."""
    if not place:
        return value
    first, *rest = place
    copy = stored.copy()
    copy[first] = put(copy[first] if rest else None, rest, value)
    return copy


# Choices


def forced(request):
    """A server that honours response_format: whatever the model would say, one of the choices comes out."""
    form = request.json.get("response_format")
    if form is None:
        return completion("Well, I would rather bet.")
    assert form["type"] == "json_schema"
    [(name, field)] = form["json_schema"]["schema"]["properties"].items()
    return completion(json.dumps({name: field["enum"][1]}))


def test_a_server_that_honours_the_constraint(tmp_path):
    with serve(forced) as server:
        chat = quick(server, tmp_path)
        assert chat.constrains is None
        assert chat.ask(ASKED, [0])[0].text == "Well, I would rather bet."
        assert chat.constrains is None
        assert chat.ask(ASKED, [0], CHOICES) == [Reply("bet", "", "ok", 10, 5)]
        assert chat.constrains is True
    assert not {"guided_choice", "guided_json", "structured_outputs"} & set(server.seen[1].json)
    again = quick(server, tmp_path)  # the record says it too, without a server
    assert again.ask(ASKED, [0], CHOICES)[0].text == "bet" and again.constrains is True


def test_a_server_that_ignores_the_constraint_is_found_out_and_not_relied_on(tmp_path):
    with serve(lambda request: completion("Well, I would rather bet.")) as server:
        chat = quick(server, tmp_path)
        replies = [chat.ask(ASKED, [seed], CHOICES)[0] for seed in range(3)]
        assert chat.constrains is False
    assert {reply.text for reply in replies} == {"Well, I would rather bet."}
    assert ["response_format" in request.json for request in server.seen] == [True, False, False]
    again = quick(server, tmp_path)
    assert again.ask(ASKED, [2], CHOICES) == replies[2:] and again.constrains is False


def test_a_server_that_rejects_the_constraint_is_asked_without(tmp_path):
    def reply(request):
        if "response_format" in request.json:
            return answer(400, b'{"error":{"message":"response_format is not supported"}}')
        return completion("bet")

    with serve(reply) as server:
        chat = quick(server, tmp_path)
        assert [chat.ask(ASKED, [seed], CHOICES)[0].text for seed in range(2)] == ["bet", "bet"]
        assert chat.constrains is False
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("sent", "text", "found"),
    [
        (completion(" bet\n"), "bet", None),  # may be luck
        (completion('"bet"'), "bet", None),
        (completion('{"choice": "bet"}'), "bet", True),
        (completion('{"choice": "raise"}'), '{"choice": "raise"}', False),
        (completion('{"choice": ["bet"]}'), '{"choice": ["bet"]}', False),
        (completion('{"choice": "be', "length"), '{"choice": "be', None),
        (completion("Well, I", "length"), "Well, I", False),
        (completion(None, "length"), "", None),
        (completion(None, refusal="no"), "", None),
        (completion("[" * 50_000), "[" * 50_000, False),
    ],
)
def test_what_a_reply_says_of_the_constraint(tmp_path, sent, text, found):
    with serve(lambda request: sent) as server:
        chat = quick(server, tmp_path)
        assert chat.ask(ASKED, [0], CHOICES)[0].text == text
    assert chat.constrains is found


def test_choices_are_part_of_the_question(tmp_path):
    with serve(forced) as server:
        chat = quick(server, tmp_path)
        texts = [chat.ask(ASKED, [0], given)[0].text for given in (None, CHOICES, [["bet", "pass"]], [[]])]
    assert texts == ["Well, I would rather bet.", "bet", "pass", "Well, I would rather bet."]
    assert len(server.seen) == 3


# Faults


def test_a_storm_of_faults(tmp_path):
    """Expected requests are 1/(1 - 0.28) = 1.39 per call, with a standard deviation of 0.03 over 600 calls."""
    figures = storm(600, tmp_path, timeout=3.0)
    assert figures.right == figures.answered == 600 and figures.most_per_question == 1
    assert figures.requests <= 1.5 * 600
    assert figures.requests == 600 + sum(figures.faults.values()) and len(figures.faults) == 4
    assert figures.again == 0 and figures.same


@pytest.mark.parametrize("form", ["seconds", "date", "nonsense"])
def test_retry_after(tmp_path, form):
    def reply(request):
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60)
        asked = {"seconds": "7.5", "date": email.utils.format_datetime(later, usegmt=True), "nonsense": "soon"}[form]
        return answer(429, b"", retry_after=asked) if request.attempt == 1 else completion("yes")

    with serve(reply) as server:
        chat = quick(server, tmp_path)
        assert chat.ask(ASKED, [0])[0].text == "yes"
    least, most = {"seconds": (7.5, 7.5), "date": (55, 60), "nonsense": (0.25, 0.5)}[form]
    assert least <= sum(chat.waited) <= most


def test_a_server_that_asks_for_more_patience_than_there_is(tmp_path):
    with serve(lambda request: answer(429, b"daily quota", retry_after="86400")) as server:
        chat = quick(server, tmp_path)
        with pytest.raises(ServerFailed, match=r"alone for 86400 seconds.*daily quota.*on the record"):
            chat.ask(ASKED, [0])
    assert len(server.seen) == 1 and not chat.waited


def test_pauses_double_up_to_a_limit_and_differ(tmp_path):
    with serve(lambda request: answer(503, b"")) as server:
        chat = quick(server, tmp_path, concurrency=1, limits=Limits(retries=9))
        totals = []
        chat._wait = lambda seconds, stop: totals.append(seconds)
        state = random.getstate()
        with pytest.raises(ServerFailed, match="status 503, at the last of 10 tries"):
            chat.ask(ASKED, [0])
        assert random.getstate() == state
    assert len(server.seen) == 10
    for total, full in zip(totals, [0.5, 1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert full / 2 <= total <= full
    assert len(set(totals[-3:])) == 3


@pytest.mark.parametrize(
    ("first", "requests"),
    [
        (answer(408, b""), 2),
        (answer(409, b""), 2),
        (answer(502, b"<html>"), 2),
        (answer(200, b'{"error":{"message":"overloaded"}}'), 2),
        (cut(completion("yes")), 2),
        (Answer(b"", close=True), 2),
        (Answer(b"SSH-2.0-nonsense\r\n\r\n", close=True), 2),
        (Answer(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc"), 2),
    ],
)
def test_faults_of_transport_are_tried_again(tmp_path, first, requests):
    with serve(lambda request: first if request.attempt == 1 else completion("yes")) as server:
        assert quick(server, tmp_path).ask(ASKED, [0])[0].text == "yes"
    assert len(server.seen) == requests


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (answer(401, b'{"error":{"message":"bad key sk-secret-42"}}'), "bad key .the key.*Set LUDUS_API_KEY"),
        (answer(403, b""), "Set LUDUS_API_KEY"),
        (answer(404, b'{"detail":"Not Found"}'), "Not Found.*address.*ends in /v1.*model's name, now 'tiny'"),
        (answer(400, b'{"message":"prompt is too long"}'), "prompt is too long.*'tiny' the model's name"),
        (answer(422, b'{"detail":[{"msg":"extra field"}]}'), "extra field"),
        (answer(413, b"\x00\xff\n\x1b[31m"), "too long"),
        (answer(302, b"", location="http://elsewhere"), "give that address"),
        (answer(418, b"x" * 10**6), "status 418: xxx"),
    ],
)
def test_what_no_retry_mends_is_one_clear_error(tmp_path, monkeypatch, sent, said):
    monkeypatch.setenv("LUDUS_API_KEY", "sk-secret-42\n")
    with serve(lambda request: sent) as server:
        chat = quick(server, tmp_path)
        with pytest.raises(ServerFailed, match=said) as raised:
            chat.ask(ASKED, [0])
    message = str(raised.value)
    assert len(server.seen) == 1 and not chat.waited
    assert message.startswith(f"http://127.0.0.1:{server.port}/v1/chat/completions answered with status")
    assert message.isprintable() and len(message) < 1000 and "on the record" in message


def test_nobody_there(tmp_path):
    with serve(lambda request: HANG) as server:
        chat = quick(server, tmp_path)
    with pytest.raises(ServerFailed, match=r"cannot be reached .*3 tries\. Is the server running.*vllm serve"):
        chat.ask(ASKED, [0])


@pytest.mark.parametrize("sent", [HANG, completion("slow")._replace(every=0.05)])
def test_a_server_that_hangs_or_trickles(tmp_path, sent):
    with serve(lambda request: sent if request.attempt < 3 else completion("yes")) as server:
        start = time.monotonic()
        assert quick(server, tmp_path, limits=Limits(timeout=1)).ask(ASKED, [0])[0].text == "yes"
        assert time.monotonic() - start < 6  # one trickle alone would take 8
        assert len(server.seen) == 3


def test_a_call_that_fails_stops_the_others_and_what_was_answered_is_kept(tmp_path):
    def reply(request):
        return answer(404, b"") if request.words == "question 50" and broken else completion(request.words)

    asked, broken = questions(100), True
    with serve(reply) as server:
        with pytest.raises(ServerFailed):
            quick(server, tmp_path, concurrency=4).ask(asked, [0] * 100)
        first, broken = len(server.seen), False
        assert 50 < first < 60
        replies = quick(server, tmp_path).ask(asked, [0] * 100)
        assert len(server.seen) == 101  # only the one that failed is asked again
    assert [reply.text for reply in replies] == [f"question {number}" for number in range(100)]


def test_a_model_that_wants_max_completion_tokens(tmp_path):
    def reply(request):
        if "max_tokens" in request.json:
            return answer(400, b'{"error":{"message":"Use \'max_completion_tokens\' instead."}}')
        return completion("yes")

    with serve(reply) as server:
        chat = quick(server, tmp_path, max_tokens=9)
        assert [chat.ask(ASKED, [seed])[0].text for seed in range(2)] == ["yes", "yes"]
    assert [request.json.get("max_completion_tokens") for request in server.seen] == [None, 9, 9]


# Limits


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("cap", ["dollars", "tokens"])
def test_a_cap_is_overshot_by_the_calls_in_flight_at_most(tmp_path, counts, cap):
    """The server's own bill decides, for calls that broke off too: 100 tokens in and 50 out are 0.0002 dollars."""
    prices = {"price_in": 1.0, "price_out": 2.0}
    price, most = {"dollars": (0.0002, 0.004), "tokens": (150, 3000)}[cap]  # enough for 20 calls

    def reply(request):
        whole = completion("yes", usage=(100, 50) if counts else None)
        return cut(whole) if request.chance("cap") < 0.3 else whole

    asked = questions(200)
    with serve(reply) as server:
        limits = Limits(**prices, **{cap: most})
        chat = quick(server, tmp_path, concurrency=5, max_tokens=50, limits=limits)
        with pytest.raises(BudgetSpent, match=rf"spent.*raise Limits\({cap}=.*on the record"):
            chat.ask(asked, [0] * 200)
        paid = len(server.seen)
        assert paid * price < most + 5 * price + 1e-9
        assert paid == chat.requests
        if counts:
            assert paid >= 10
        with pytest.raises(BudgetSpent):
            chat.ask(asked, [0] * 200)
        assert len(server.seen) == paid  # nothing more is sent
        replies = quick(server, tmp_path, max_tokens=50).ask(asked, [0] * 200)
    assert [reply.text for reply in replies] == ["yes"] * 200
    answered = [request.body for request in server.seen if request.chance("cap") >= 0.3]
    assert len(answered) == len(set(answered)) == 200  # what was paid for before the cap was not asked again


def test_requests_are_spaced(tmp_path):
    now = [0.0]
    sent = []

    def reply(request):
        sent.append(now[0])
        return completion("yes")

    def sleep(seconds):
        now[0] += seconds

    with serve(reply) as server:
        chat = connect(server.agent, tmp_path, concurrency=1, limits=Limits(requests_per_minute=20))
        chat.sleep, chat.clock = sleep, lambda: now[0]
        chat.ask(questions(5), [0] * 5)
    assert sent == pytest.approx([0, 3, 6, 9, 12])


# The record


def test_a_second_run_asks_nothing_and_needs_no_server_and_no_http_library(tmp_path):
    asked = questions(20)
    with serve(lambda request: completion(f"{request.words}!", reasoning="hm")) as server:
        replies = quick(server, tmp_path).ask(asked, range(20))
    code = f"""
import sys
sys.modules["httpx2"] = None
from ludus.models.chat import connect
asked = [[{{"role": "user", "content": f"question {{number}}"}}] for number in range(20)]
print(repr(connect("http://127.0.0.1:1/v1#tiny", {str(tmp_path)!r}).ask(asked, range(20))))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert eval(ran.stdout, {"Reply": Reply}) == replies


def test_without_the_http_library_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'ludus\[llm\]'"):
        connect("http://127.0.0.1:1/v1", tmp_path).ask(ASKED, [0])


def test_the_package_of_models_loads_no_http_library():
    code = "import sys, ludus.models.chat; assert 'httpx2' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_makes_another_question(tmp_path):
    """Model, words, roles, seed, temperature and length; the address and the key do not."""
    with serve(lambda request: completion(f"answer {len(server.seen)}")) as server, serve(server.reply) as other:
        base = quick(server, tmp_path).ask(ASKED, [0])
        assert quick(other, tmp_path).ask(ASKED, [0]) == base
        assert quick(server, tmp_path).ask([[{"role": "system", "content": "pass or bet?"}]], [0]) != base
        assert quick(server, tmp_path).ask(ASKED, [1]) != base
        assert quick(server, tmp_path, temperature=0).ask(ASKED, [0]) != base
        assert quick(server, tmp_path, max_tokens=5).ask(ASKED, [0]) != base
        assert connect(server.agent + "2", tmp_path).ask(ASKED, [0]) != base
        assert quick(server, tmp_path, temperature=1).ask(ASKED, [np.int64(0)]) == base  # 1 is 1.0
    assert len(server.seen) == 6 and not other.seen


@pytest.mark.parametrize("damage", ["flip", "torn", "emptied", "renamed", "not json"])
def test_a_damaged_record_is_asked_again_and_mended(tmp_path, damage):
    def spoil():
        path, *others = sorted(tmp_path.rglob("*.json"))
        data = bytearray(path.read_bytes())
        if damage == "flip":
            data[data.index(b"yes")] ^= 1
        elif damage == "torn":
            del data[-30:]
        elif damage == "emptied":
            data.clear()
        elif damage == "renamed":
            data = others[0].read_bytes()
        else:
            data = b"\x00\xff" * 40
        path.write_bytes(data)

    asked = questions(2)
    with serve(lambda request: completion("yes")) as server:
        replies = quick(server, tmp_path).ask(asked, [0, 0])
        spoil()
        assert quick(server, tmp_path).ask(asked, [0, 0]) == replies
        assert len(server.seen) == 3
        assert quick(server, tmp_path).ask(asked, [0, 0]) == replies
        assert len(server.seen) == 3


def test_every_single_flipped_byte_is_noticed(tmp_path):
    with serve(lambda request: completion(f"answer {len(server.seen)}")) as server:
        quick(server, tmp_path).ask(ASKED, [0])
        [path] = tmp_path.rglob("*.json")
        data = path.read_bytes()
        for place in range(0, len(data), 29):
            path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
            before = len(server.seen)
            quick(server, tmp_path).ask(ASKED, [0])
            assert len(server.seen) == before + 1


def test_processes_share_a_folder(tmp_path):
    """Three at a time ask the same 40 questions of a server that never says the same twice: all hear the same."""
    code = """
import json, sys
from ludus.models.chat import connect
asked = [[{"role": "user", "content": f"question {number}"}] for number in range(40)]
replies = connect(sys.argv[1], sys.argv[2], concurrency=4).ask(asked, range(40))
print(json.dumps([reply.text for reply in replies]))
"""

    def reply(request):
        return completion(f"{request.words}: {len(server.seen)}")

    with serve(reply) as server:
        command = [sys.executable, "-c", code, server.agent, str(tmp_path)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        heard = [json.loads(process.communicate()[0]) for process in running]
        assert 40 <= len(server.seen) <= 120
        assert [reply.text for reply in quick(server, tmp_path).ask(questions(40), range(40))] == heard[0]
    assert heard[0] == heard[1] == heard[2]
    assert [text.partition(":")[0] for text in heard[0]] == [f"question {number}" for number in range(40)]
    assert not list(tmp_path.rglob("*.draft"))


def test_a_process_killed_in_the_middle_loses_nothing_that_was_kept(tmp_path):
    code = """
import sys
from ludus.models.chat import connect
asked = [[{"role": "user", "content": f"question {number}"}] for number in range(200)]
connect(sys.argv[1], sys.argv[2], concurrency=2).ask(asked, [0] * 200)
"""
    reached = threading.Event()

    def reply(request):
        if len(server.seen) == 50:
            reached.set()
        return completion(request.words)

    with serve(reply) as server:
        process = subprocess.Popen([sys.executable, "-c", code, server.agent, str(tmp_path)])
        assert reached.wait(30)
        process.kill()
        process.wait()
        kept = len(list(tmp_path.rglob("*.json")))
        before = len(server.seen)
        assert before - 2 <= kept <= before and before < 200
        replies = quick(server, tmp_path).ask(questions(200), [0] * 200)
        assert len(server.seen) == before + 200 - kept
    assert [reply.text for reply in replies] == [f"question {number}" for number in range(200)]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with serve(lambda request: completion("yes")) as server, pytest.raises(OSError, match="cannot keep a reply in"):
        quick(server, tmp_path / "file").ask(ASKED, [0])


def test_the_key_is_sent_and_is_nowhere_else(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    with serve(lambda request: completion("yes")) as server:
        quick(server, tmp_path).ask(ASKED, [0])
        monkeypatch.setenv("LUDUS_API_KEY", "sk-secret-42")
        chat = quick(server, tmp_path)
        chat.ask(ASKED, [1])
    assert [request.headers["authorization"] for request in server.seen] == ["Bearer sk-other", "Bearer sk-secret-42"]
    assert not any(b"sk-" in path.read_bytes() for path in Path(tmp_path).rglob("*.json"))
    assert "sk-" not in repr(chat) + "".join(capfd.readouterr())


# Arguments


def test_it_works_inside_a_running_event_loop(tmp_path):
    async def main():
        return quick(server, tmp_path).ask(ASKED, [0])

    with serve(lambda request: completion("yes")) as server:
        assert asyncio.run(main())[0].text == "yes"


@pytest.mark.parametrize(
    ("agent", "url", "name"),
    [
        ("http://127.0.0.1:8000/v1#Qwen/Qwen3-0.6B", "http://127.0.0.1:8000/v1/chat/completions", "Qwen/Qwen3-0.6B"),
        ("https://api.example.com/v1/", "https://api.example.com/v1/chat/completions", "default"),
        ("http://[::1]:80/v1/chat/completions#a#b", "http://[::1]:80/v1/chat/completions", "a#b"),
    ],
)
def test_agents(tmp_path, agent, url, name):
    chat = connect(agent, tmp_path / "replies")
    assert (chat._url, chat.name) == (url, name)
    assert not (tmp_path / "replies").exists()


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("127.0.0.1:8000/v1#m", "write it as http://"),
        ("", "write it as http://"),
        ("http://#m", "write it as http://"),
        ("http://host:port/v1", "write it as http://"),
        ("http://ho st/v1", "write it as http://"),
        ("ftp://host/v1", "write it as http://"),
        ("http://me:secret@host/v1", "set LUDUS_API_KEY"),
        ("http://host/v1?key=secret", "may hold a key"),
    ],
)
def test_what_is_no_agent(tmp_path, agent, said):
    with pytest.raises(ValueError, match="agent") as raised:
        connect(agent, tmp_path)
    assert said in str(raised.value) and "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": -1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"concurrency": 2.5}, "concurrency"),
        ({"limits": Limits(timeout=0)}, "timeout"),
        ({"limits": Limits(retries=-1)}, "retries"),
        ({"limits": Limits(dollars=5)}, "price_in"),
        ({"limits": Limits(tokens=-5)}, "tokens"),
    ],
)
def test_bad_numbers_are_named(tmp_path, options, said):
    with pytest.raises(ValueError, match=said):
        connect("http://127.0.0.1:1/v1", tmp_path, **options)


@pytest.mark.parametrize(
    ("asked", "seeds", "choices", "said"),
    [
        (ASKED, [], None, "seeds are one per conversation"),
        (ASKED, [0], [], "choices are one per conversation"),
        ([[]], [0], None, r"conversations\[0\] is empty"),
        ([["bet?"]], [0], None, "role and content"),
        ([[{"role": "user"}]], [0], None, "role and content"),
        ([[{"role": "user", "content": 3}]], [0], None, "role and content"),
        (ASKED, [0.5], None, r"seeds\[0\] is a whole number"),
        (ASKED, [-1], None, r"seeds\[0\] is at least 0"),
        (ASKED, [0], [["a", "a"]], r"choices\[0\]"),
        (ASKED, [0], [["a", ""]], r"choices\[0\]"),
    ],
)
def test_bad_questions_are_named_by_the_client_and_by_the_stand_in(tmp_path, asked, seeds, choices, said):
    for model in (connect("http://127.0.0.1:1/v1", tmp_path), Scripted(lambda messages, seed: "yes")):
        with pytest.raises((ValueError, TypeError), match=said):
            model.ask(asked, seeds, choices)


def test_a_key_that_is_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("LUDUS_API_KEY", "sk-\u2026secret")
    with pytest.raises(ValueError, match="LUDUS_API_KEY") as raised:
        connect("http://127.0.0.1:1/v1", tmp_path)
    assert "secret" not in str(raised.value)


def test_nothing_asked_nothing_sent(tmp_path):
    assert connect("http://127.0.0.1:1/v1", tmp_path).ask([], []) == []


# The stand-in


def test_scripted():
    model = Scripted(lambda messages, seed: f"{messages[-1]['content']} {seed}" if seed else "", name="echo")
    assert model.name == "echo"
    assert model.ask([*ASKED, *ASKED], [3, 0]) == [
        Reply("pass or bet? 3", "", "ok", 0, 0),
        Reply("", "", "empty", 0, 0),
    ]
    whole = Reply("no", "hm", "refused", 3, 4)
    assert Scripted(lambda messages, seed: whole).ask(ASKED, [0], CHOICES) == [whole]


# The page


PAGE = (Path(__file__).parents[2] / "docs" / "model-servers.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs(tmp_path, monkeypatch, capsys):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [address] = re.findall(r'connect\("(.*?)"', code)
    monkeypatch.chdir(tmp_path)
    with serve(forced) as server:
        exec(code.replace(address, server.agent), {})
    text, status, constrains, dollars = capsys.readouterr().out.split()
    assert (text, status, constrains) == ("call", "ok", "True")
    assert float(dollars) == pytest.approx(2 * (10 * 0.15 + 5 * 0.60) / 1e6)


def test_the_page_names_what_there_is(tmp_path):
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(STATUSES)
    agents = re.findall(r"https?://[^\s'\"]+#[^\s'\")]+", PAGE)
    assert len(agents) >= 6
    assert {connect(agent, tmp_path).name for agent in agents} == {agent.partition("#")[2] for agent in agents}
    first, most = PAUSES
    assert f"after {first:g} seconds, doubled up to {most:g}" in " ".join(PAGE.split())
    assert all(f"`{name}`" in PAGE or f"{name}=" in PAGE for name in Limits._fields)


@pytest.mark.parametrize(
    ("dollars", "prices", "limits"),
    [
        ("", "", Limits()),
        ("5", "0.15,0.60", Limits(dollars=5.0, price_in=0.15, price_out=0.6)),
        ("", "1,2", Limits(price_in=1.0, price_out=2.0)),
    ],
)
def test_limits_are_read_from_the_environment(monkeypatch, dollars, prices, limits):
    monkeypatch.setenv("LUDUS_DOLLARS", dollars)
    monkeypatch.setenv("LUDUS_PRICES", prices)
    assert stated_limits() == limits


@pytest.mark.parametrize(("dollars", "prices"), [("5", ""), ("five", "1,2"), ("5", "1"), ("5", "1,2,3"), ("5", "a,b")])
def test_limits_that_cannot_be_read_are_refused(monkeypatch, tmp_path, dollars, prices):
    monkeypatch.setenv("LUDUS_DOLLARS", dollars)
    monkeypatch.setenv("LUDUS_PRICES", prices)
    with pytest.raises(ValueError, match=r"write for example LUDUS_DOLLARS=5 LUDUS_PRICES=0\.15,0\.60"):
        connect("http://127.0.0.1:1/v1", tmp_path)
