"""An OpenAI-compatible server on loopback that plays a model, and fails where a test's rules say so.

In a test: `async with ModelServer() as server: … server.base_url … server.script.fail("outline", status=500)`.
By itself: `python -m tests.model_server PORT`; then `POST /control/rules` (a `Rule`), `POST /control/release`
(`{"id"}`), `DELETE /control/rules` and `GET /control/requests` do what `script` and `requests` do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import ValidationError

from tests.model_replies import find_kind, write_reply
from tests.model_script import ActiveRule, Rule, Script

_STATUS_WORDS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class ModelRequest:
    """A request for a completion. `outcome`: running, done, aborted (by the client), or what a rule did."""

    kind: str
    model: str
    stream: bool
    prompt: str
    authorization: str
    outcome: str = "running"


@dataclass(frozen=True)
class HttpRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class ModelServer:
    """Serves during its block. With an `api_key`, refuses other keys, and quotes them as some servers do.

    With `models`, knows no other models.
    """

    def __init__(self, *, api_key: str = "", models: tuple[str, ...] = (), port: int = 0) -> None:
        self.script = Script()
        self.requests: list[ModelRequest] = []
        self._api_key = api_key
        self._models = models
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def counts(self) -> Counter[str]:
        """Requests by kind."""
        return Counter(asked.kind for asked in self.requests)

    @property
    def aborted(self) -> int:
        """How many clients disconnected before the end of their answer."""
        return sum(asked.outcome == "aborted" for asked in self.requests)

    async def wait_for_requests(self, count: int, kind: str = "") -> None:
        """Return when that many requests (of that kind) have come."""
        async with self._changed:
            await self._changed.wait_for(lambda: sum(kind in ("", a.kind) for a in self.requests) >= count)

    async def wait_for_aborts(self, count: int) -> None:
        """Return when that many clients have disconnected early."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.aborted >= count)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            received = await _receive(reader)
            if received.path == "/v1/chat/completions" and received.method == "POST":
                await self._complete(received, reader, writer)
            else:
                status, value = self._control(received)
                await _send_json(writer, status, value)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _control(self, received: HttpRequest) -> tuple[int, object]:
        match (received.method, received.path):
            case ("GET", "/v1/models"):
                return 200, {
                    "object": "list",
                    "data": [{"id": m, "object": "model"} for m in self._models or ("test",)],
                }
            case ("GET", "/control/requests"):
                listed = [asdict(asked) | {"authorization": ""} for asked in self.requests]
                return 200, {"requests": listed, "counts": self.counts, "aborted": self.aborted}
            case ("POST", "/control/rules"):
                try:
                    return 200, {"id": self.script.add(Rule.model_validate(received.body)).id}
                except ValidationError as error:
                    return 400, {"error": error.errors(include_url=False)}
            case ("DELETE", "/control/rules"):
                self.script.clear()
                return 200, {}
            case ("POST", "/control/release"):
                return (200, {}) if self.script.release(int(received.body["id"])) else (404, {})
        return 404, {"error": {"message": "no such page"}}

    async def _complete(
        self, received: HttpRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = received.body
        prompt = _text(next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user"))
        authorization = received.headers.get("authorization", "")
        asked = ModelRequest(find_kind(prompt), body["model"], bool(body.get("stream")), prompt, authorization)
        self.requests.append(asked)
        await self._notify()
        answering = asyncio.create_task(self._answer(asked, body, writer))
        # The client sends nothing more: what can be read now is the end of its connection.
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                asked.outcome = "aborted"
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
            await self._notify()

    async def _answer(self, asked: ModelRequest, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if error := self._refuse(asked):
            asked.outcome = f"status {error[0]}"
            await _send_json(writer, *error)
            return
        active = self.script.take(asked.kind, asked.prompt)
        rule = active.rule if active else Rule()
        if rule.status:
            asked.outcome = f"status {rule.status}"
            headers = {"Retry-After": f"{rule.retry_after:g}"} if rule.retry_after is not None else {}
            await _send_json(writer, rule.status, _error(rule.says, "test"), headers)
            return
        if rule.hang:
            await asyncio.Event().wait()
        text = write_reply(asked.prompt) if rule.text is None else rule.text
        send = self._stream if asked.stream else self._send_whole
        await send(asked, text, body, active or ActiveRule(0, rule), writer)

    def _refuse(self, asked: ModelRequest) -> tuple[int, object] | None:
        if self._api_key and asked.authorization != f"Bearer {self._api_key}":
            given = asked.authorization.removeprefix("Bearer ")
            return 401, _error(f"Incorrect API key provided: {given}.", "invalid_api_key")
        if self._models and asked.model not in self._models:
            return 404, _error(f"The model {asked.model} does not exist.", "model_not_found")
        return None

    async def _send_whole(
        self, asked: ModelRequest, text: str, body: dict[str, Any], active: ActiveRule, writer: asyncio.StreamWriter
    ) -> None:
        if active.rule.hold:
            await active.gate.pass_through()
        if active.rule.cut:
            asked.outcome = "cut"
            writer.transport.abort()
            return
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": active.rule.finish}
        answer = _envelope(asked, "chat.completion") | {"choices": [choice]}
        if active.rule.usage:
            answer["usage"] = _usage(body, text)
        asked.outcome = "done"
        await _send_json(writer, 200, answer)

    async def _stream(
        self, asked: ModelRequest, text: str, body: dict[str, Any], active: ActiveRule, writer: asyncio.StreamWriter
    ) -> None:
        rule, sent = active.rule, ""
        _send_head(writer, 200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        await writer.drain()
        envelope = _envelope(asked, "chat.completion.chunk")
        for number, piece in enumerate([*_pieces(text), None]):
            if rule.hold and number == rule.after:
                await active.gate.pass_through()
            if piece is None or (rule.cut and number == rule.after):
                break
            await asyncio.sleep(rule.delay)
            await _send_event(writer, envelope | {"choices": [_delta({"content": piece})]})
            sent += piece
        if rule.cut == "reset":
            asked.outcome = "cut"
            writer.transport.abort()
            return
        asked.outcome = "cut" if rule.cut else "done"
        if not rule.cut:
            if rule.finish:
                await _send_event(writer, envelope | {"choices": [_delta({}, rule.finish)]})
            if rule.usage and (body.get("stream_options") or {}).get("include_usage"):
                await _send_event(writer, envelope | {"choices": [], "usage": _usage(body, sent)})
            writer.write(_chunk(b"data: [DONE]\n\n"))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _receive(reader: asyncio.StreamReader) -> HttpRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    return HttpRequest(method, path, headers, json.loads(raw) if raw else None)


def _send_head(writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} {_STATUS_WORDS.get(status, 'Status')}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())


async def _send_json(
    writer: asyncio.StreamWriter, status: int, value: object, headers: dict[str, str] | None = None
) -> None:
    body = json.dumps(value).encode()
    own = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    _send_head(writer, status, own | (headers or {}))
    writer.write(body)
    await writer.drain()


async def _send_event(writer: asyncio.StreamWriter, value: object) -> None:
    writer.write(_chunk(f"data: {json.dumps(value)}\n\n".encode()))
    await writer.drain()


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _pieces(text: str) -> Iterator[str]:
    """Yield the text three words at a time, with the space around them."""
    return (match[0] for match in re.finditer(r"(?:\s*\S+){1,3}\s*", text))


def _envelope(asked: ModelRequest, object: str) -> dict[str, Any]:
    return {"id": "answer", "object": object, "created": 1_700_000_000, "model": asked.model}


def _delta(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _usage(body: dict[str, Any], text: str) -> dict[str, int]:
    asked = sum(len(_text(message["content"])) for message in body["messages"]) // 4
    answered = len(text) // 4
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _text(content: Any) -> str:
    """Return a message's text, which may be in parts."""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


async def _run(port: int) -> None:
    async with ModelServer(port=port) as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
