"""The gateway against a real server: its answers, its reports of calls, and how calls are cancelled."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from redis.asyncio import Redis

from app.contract.settings import Settings
from tests.model_server import ModelServer
from tests.worker.llm.conftest import KEY, Gateways
from worker.llm.budget import Budget
from worker.llm.errors import BadOutput, BudgetExceeded, ModelNotFound, ProviderUnavailable, StreamCut
from worker.llm.gateway import Gateway, open_gateway
from worker.llm.rate_limiter import Limits, RateLimiter

PAGE = 'Task: take-notes\n\n<data kind="page" title="Bells">\nWe cast bells of bronze since 1820.\n</data>'
SECTION = (
    "Task: write-section\n\n"
    '<data kind="passage" id="s1" title="Bells">\nWe cast bells of bronze since 1820. Each bell is tuned by hand.\n'
    "</data>"
)


class Notes(BaseModel):
    summary: str
    key_phrases: list[str]


async def ask(gateway: Gateway, budget: Budget | None = None) -> Notes:
    return await gateway.structured("take-notes", "You take notes.", PAGE, Notes, budget=budget)


async def read(gateway: Gateway) -> str:
    return "".join([piece async for piece in gateway.stream("write-section", "You write.", SECTION)])


async def test_structured_returns_a_value_and_reports_its_tokens(gateways: Gateways) -> None:
    notes = await ask(gateways.open())

    assert notes.summary == "We cast bells of bronze since 1820."
    assert gateways.last.model == "openai:first"
    assert gateways.last.kind == "take-notes"
    assert gateways.last.input_tokens > 0 and gateways.last.output_tokens > 0
    assert gateways.last.error is None
    assert gateways.last.cost is None


async def test_stream_yields_text_as_it_comes_and_reports_its_tokens(gateways: Gateways, server: ModelServer) -> None:
    gate = server.script.hold("write-section", after=1)
    stream = gateways.open().stream("write-section", "You write.", SECTION)

    first = await anext(stream)
    assert first and not gateways.calls
    gate.release()
    rest = [piece async for piece in stream]

    text = first + "".join(rest)
    assert text == "We cast bells of bronze since 1820 [s1]. Each bell is tuned by hand [s1]."
    assert gateways.last.error is None
    assert gateways.last.input_tokens > 0 and gateways.last.output_tokens > 0


@pytest.mark.parametrize("cut", ["silent", "reset"])
async def test_a_cut_stream_is_a_failure_after_its_text(gateways: Gateways, server: ModelServer, cut: str) -> None:
    server.script.fail("write-section", cut=cut, after=2)
    pieces: list[str] = []

    with pytest.raises(StreamCut):
        async for piece in gateways.open().stream("write-section", "You write.", SECTION):
            pieces.append(piece)

    assert "".join(pieces) == "We cast bells of bronze since "
    assert gateways.last.error is not None and gateways.last.error.startswith("StreamCut")


@pytest.mark.parametrize("lacking", [{"usage": False}, {"finish": None}])
async def test_a_stream_without_its_last_events_is_cut(
    gateways: Gateways, server: ModelServer, lacking: dict[str, Any]
) -> None:
    server.script.fail("write-section", **lacking)
    with pytest.raises(StreamCut):
        await read(gateways.open())


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_an_answer_that_was_stopped_is_bad_output(gateways: Gateways, server: ModelServer, finish: str) -> None:
    server.script.fail(finish=finish, times=0)
    gateway = gateways.open()
    with pytest.raises(BadOutput):
        await read(gateway)
    with pytest.raises(BadOutput):
        await ask(gateway)
    assert all(call.output_tokens for call in gateways.calls)


async def test_cancelling_the_reader_aborts_the_request(gateways: Gateways, server: ModelServer) -> None:
    gate = server.script.hold("write-section", after=1)
    reading = asyncio.create_task(read(gateways.open()))
    await gate.reached()

    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    await server.wait_for_aborts(1)
    assert gateways.last.error == "cancelled"


async def test_closing_the_stream_aborts_the_request(gateways: Gateways, server: ModelServer) -> None:
    server.script.hold("write-section", after=1)
    async with aclosing(gateways.open().stream("write-section", "You write.", SECTION)) as stream:
        await anext(stream)

    await server.wait_for_aborts(1)
    assert gateways.last.error == "cancelled"


async def test_cancelling_a_structured_call_aborts_the_request(gateways: Gateways, server: ModelServer) -> None:
    gate = server.script.hold("take-notes")
    asking = asyncio.create_task(ask(gateways.open()))
    await gate.reached()

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    await server.wait_for_aborts(1)
    assert gateways.last.error == "cancelled"


async def test_the_fallback_answers_when_the_model_is_unavailable(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail("take-notes", status=503).fail("write-section", status=500)
    gateway = gateways.open(fallback=True)

    await ask(gateway)
    await read(gateway)

    assert [(call.model, call.error is None) for call in gateways.calls] == [
        ("openai:first", False),
        ("openai:second", True),
    ] * 2


async def test_the_fallback_is_not_asked_after_text_was_given_out(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail("write-section", cut="silent", after=1)
    with pytest.raises(StreamCut):
        await read(gateways.open(fallback=True))
    assert len(server.requests) == 1


async def test_the_fallback_is_not_asked_for_what_a_setting_must_mend(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail(status=404)
    with pytest.raises(ModelNotFound):
        await ask(gateways.open(fallback=True))
    assert len(server.requests) == 1


async def test_when_both_fail_the_first_error_stands_and_names_both(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail(status=503, retry_after=9).fail(status=503, retry_after=4)
    with pytest.raises(ProviderUnavailable, match=r"openai:first.*openai:second") as raised:
        await ask(gateways.open(fallback=True))
    assert raised.value.retry_after == 4


async def test_a_budget_that_is_used_up_refuses_the_next_call(gateways: Gateways, server: ModelServer) -> None:
    budget = Budget(max_tokens=10)
    gateway = gateways.open()
    await ask(gateway, budget)
    with pytest.raises(BudgetExceeded):
        await ask(gateway, budget)
    assert len(server.requests) == 1
    assert budget.spent_tokens == gateways.last.input_tokens + gateways.last.output_tokens


async def test_the_settings_open_a_gateway(gateways: Gateways, server: ModelServer, redis: Redis) -> None:
    settings = Settings(
        model="openai:first",
        model_base_url=server.base_url,
        model_api_key=SecretStr(KEY),
        fallback_model="openai:second",
    )
    gateway = open_gateway(settings, RateLimiter(redis, Limits()), gateways.record)
    gateways.opened.append(gateway)
    server.script.fail(status=500)
    await ask(gateway)
    assert gateway.model == "openai:first"
    assert [asked.model for asked in server.requests] == ["first", "second"]


async def test_a_key_is_not_sent_to_another_provider(gateways: Gateways, server: ModelServer, redis: Redis) -> None:
    settings = Settings(
        model="nobody:first", model_base_url=server.base_url, model_api_key=SecretStr(KEY), fallback_model="openai:x"
    )
    gateway = open_gateway(settings, RateLimiter(redis, Limits()), gateways.record)
    assert gateway._fallback is not None
    assert gateway._fallback.base_url == ""
    with pytest.raises(ModelNotFound):
        await ask(gateway)
    assert server.requests == []
