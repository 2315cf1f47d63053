"""The wire format of chat completions: a request made of a question, a reply made of whatever bytes come back.

OpenAI, "Create chat completion", API reference; `reasoning` as vLLM calls it now, `reasoning_content` as it and others
called it before. What comes back is hostile until it is read: any JSON may stand anywhere, or none.
"""

import datetime
import email.utils
import json
import math
from collections.abc import Sequence
from typing import Any

from ludus.models.replies import Reply, clean


def request_of(question: dict[str, Any], constrain: bool, length: str) -> bytes:
    """The body of a request.

    constrain  allow the question's choices only
    length     how the server calls the most tokens of a reply
    """
    request = {name: question[name] for name in ("model", "messages", "temperature", "seed")}
    request |= {length: question["max_tokens"], "stream": False}
    if constrain:  # an object, because OpenAI's own server takes no schema of anything else
        schema = {
            "type": "object",
            "properties": {"choice": {"type": "string", "enum": question["choices"]}},
            "required": ["choice"],
            "additionalProperties": False,
        }
        form = {"name": "choice", "strict": True, "schema": schema}
        request["response_format"] = {"type": "json_schema", "json_schema": form}
    return json.dumps(request).encode()


def reply_of(data: bytes) -> tuple[Reply, bool]:
    """(the reply, whether the server counted its tokens) of a chat completion; ValueError where `data` is none."""
    try:
        stored = json.loads(data.decode("utf-8-sig"))
        choice = stored["choices"][0]
        message = choice["message"]
        content, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    except (TypeError, KeyError, IndexError, AttributeError):
        raise ValueError(words_of(data)) from None
    if isinstance(content, list):  # some servers send parts
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        content = "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise ValueError(f"its content is a text or null, got a {type(content).__name__}")
    thoughts = [message.get(name) for name in ("reasoning", "reasoning_content")]
    reasoning = next((thought for thought in thoughts if isinstance(thought, str) and thought), "")
    text = clean(content or "")
    status = status_of(text)
    if (isinstance(refusal, str) and refusal) or finish == "content_filter":
        status = "refused"
    elif finish == "length":
        status = "cut"
    tokens_in, tokens_out = _count(stored, "prompt_tokens"), _count(stored, "completion_tokens")
    counted = tokens_in is not None and tokens_out is not None
    return Reply(text, clean(reasoning), status, tokens_in or 0, tokens_out or 0), counted


def status_of(text: str) -> str:
    """The status of a text that is whole: "ok", or "empty" where there is nothing but white space."""
    return "ok" if text.strip() else "empty"


def choice_of(reply: Reply, choices: Sequence[str]) -> tuple[str | None, bool | None]:
    """(the choice that a reply is, or None; whether it shows a constraint, shows that there is none, or neither).

    {"choice": "left"} is the form that the constraint forces; left or "left" may be said without one. A reply that was
    cut shows that there is none where it begins in another way.
    """
    bare = reply.text.strip()
    if reply.status == "cut" and bare and not bare.startswith("{"):
        return None, False
    if reply.status != "ok":
        return None, None
    if bare in choices:
        return bare, None
    try:
        stored = json.loads(bare)
    except (ValueError, RecursionError):
        return None, False
    if isinstance(stored, str) and stored in choices:
        return stored, None
    if isinstance(stored, dict) and list(stored) == ["choice"] and stored["choice"] in choices:
        return stored["choice"], True
    return None, False


def words_of(data: bytes) -> str:
    """What a server says went wrong, in the forms in which servers say it, else the beginning of whatever it sent."""
    try:
        found: Any = json.loads(data)
        for name in ("error", "message", "detail"):
            if isinstance(found, dict) and name in found:
                found = found[name]
        text = found if isinstance(found, str) else json.dumps(found)
    except (ValueError, RecursionError):
        text = data[:1000].decode(errors="replace")
    return text[:1000].strip()


def seconds_of(retry_after: str | None) -> float | None:
    """What a Retry-After header asks for: seconds, or a date (RFC 9110, section 10.2.3); None where it is neither."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(retry_after or "")
            date = date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
            seconds = max(0.0, (date - datetime.datetime.now(datetime.UTC)).total_seconds())
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return seconds if 0 <= seconds < math.inf else None


def _count(stored: dict[str, Any], name: str) -> int | None:
    usage = stored.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < 2**40 else None
