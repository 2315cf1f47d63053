"""Our games played in verifiers: its rollouts, its interception, and a scripted model behind a real address."""

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ludus import games
from ludus.agents.chat import ChatPlayer
from ludus.models.chat import Scripted

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
vf = pytest.importorskip("verifiers.v1", reason=WHY)
adapter = pytest.importorskip("ludus.adapters.verifiers", reason=WHY)
load_environment = adapter.load_environment


@contextmanager
def scripted(answer):
    """A chat-completions server on the loopback address: answer(model, messages) -> (status, text, finish reason)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, text, reason = answer(body["model"], body["messages"])
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            reply = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
            data = json.dumps(reply if status == 200 else {"error": {"message": text}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def played(env, answer, model="small"):
    """All episodes of the env, one after another."""

    async def run(url):
        client = vf.EvalClientConfig(base_url=url, api_key_var="NO_SUCH_KEY")
        context = vf.ModelContext(model=model, client=client)
        async with env.serving():
            return [await env.run_slot(slot, context) for task in env.taskset for slot in env.slots(task)]

    with scripted(answer) as url:
        return asyncio.run(run(url))


def menu(messages):
    return messages[-1]["content"].rsplit("Legal actions: ", 1)[1].split("\n", 1)[0].split(", ")


def seen(messages):
    """The words of the view that the last question shows."""
    return messages[-1]["content"].split("> ", 1)[1].split("\n", 1)[0].split()


def told(trace):
    return [{"role": node.message.role, "content": node.message.content} for node in trace.nodes]


def seats(episode):
    return {trace.agent.name: trace for trace in episode.traces}


def rewards(episode):
    return {name: trace.rewards["payoff"].score for name, trace in seats(episode).items()}


def metric(episode, name):
    return {seat: trace.metrics[name] for seat, trace in seats(episode).items()}


def check_call_and_bet(model, messages):
    """Passes before all others, and bets or calls after that."""
    return 200, "[pass]" if len(seen(messages)) == 1 else "I am sure. [bet]", "stop"


def test_every_seat_is_paid_by_our_rules():
    """Pass, bet, bet: the higher card wins two chips."""
    for episode in played(load_environment("kuhn_poker", games=6, seed=1), check_call_and_bet):
        assert episode.ok, [error.message for error in episode.errors]
        cards = {name: seen([node for node in told(trace) if node["role"] == "user"][:1])[0]
                 for name, trace in seats(episode).items()}  # fmt: skip
        won = 2.0 if "JQK".index(cards["player_0"]) > "JQK".index(cards["player_1"]) else -2.0
        assert rewards(episode) == {"player_0": won, "player_1": -won}
        assert metric(episode, "forfeits") == {"player_0": 0, "player_1": 0}
        assert metric(episode, "moves") == {"player_0": 2, "player_1": 1}


def test_a_seat_is_asked_as_by_agents_chat_and_keeps_its_own_conversation():
    game = games.load("leduc_poker")
    player = ChatPlayer(Scripted(lambda messages, seed: ""), game)
    env = load_environment("leduc_poker", games=2)
    for episode in played(env, lambda model, messages: (200, f"[{menu(messages)[0]}]", "stop")):
        for trace in episode.traces:
            nodes = told(trace)
            assert nodes[0] == {"role": "system", "content": player.system}
            assert [node["role"] for node in nodes[1:]] == ["user", "assistant"] * (len(nodes) // 2)
            assert all(node["content"].startswith("You see:\n> ") for node in nodes[1::2])
            assert trace.metrics["moves"] == len(nodes) // 2


@pytest.mark.parametrize(("text", "reason"), [("I will not say.", "stop"), ("[bet]", "length"), ("> [bet]", "stop")])
def test_a_reply_without_an_action_forfeits_the_move(text, reason):
    for episode in played(load_environment("kuhn_poker", games=3), lambda model, messages: (200, text, reason)):
        assert episode.ok
        assert metric(episode, "forfeits") == metric(episode, "moves")
        assert sum(rewards(episode).values()) == 0


def test_a_seat_that_met_its_limit_forfeits_the_rest():
    env = load_environment("kuhn_poker", games=2, player_0={"max_turns": 1})
    for episode in played(env, check_call_and_bet):
        assert episode.ok, [error.message for error in episode.errors]
        assert metric(episode, "moves") == {"player_0": 2, "player_1": 1}
        assert metric(episode, "forfeits") == {"player_0": 1, "player_1": 0}


def test_a_seat_may_be_another_model():
    asked = {}

    def answer(model, messages):
        asked.setdefault(model, set()).add(len(seen(messages)) % 2)
        return check_call_and_bet(model, messages)

    assert all(episode.ok for episode in played(load_environment("kuhn_poker", 2, player_1={"model": "large"}), answer))
    assert asked == {"small": {1}, "large": {0}}  # a card and an even number of actions; an odd one


def test_a_server_that_fails_fails_the_episode_and_pays_nobody():
    [episode] = played(load_environment("kuhn_poker", games=1), lambda model, messages: (500, "broken", "stop"))
    assert not episode.ok and "could not be asked" in episode.errors[0].message
    assert all(not trace.rewards.get("payoff") for trace in episode.traces)


def test_the_same_seed_deals_the_same_cards_to_three_players():
    def run(seed):
        env = load_environment("kuhn_poker(players=3)", games=2, seed=seed)
        return [rewards(episode) for episode in played(env, lambda model, messages: (200, "[bet]", "stop"))]

    first = run(7)
    assert first == run(7)
    assert all(len(paid) == 3 and sum(paid.values()) == 0 for paid in first)


def test_seats_are_checked():
    with pytest.raises(ValueError, match="has the seats player_0, player_1; leave out player_2"):
        load_environment("kuhn_poker", player_2={"model": "large"})
