"""Each failure of a provider becomes the right error, is reported, and never shows the key."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from tests.model_server import ModelServer
from tests.worker.llm.conftest import KEY, Gateways
from tests.worker.llm.test_gateway import ask, read
from worker.llm import errors
from worker.llm.chat_model import ChatModel
from worker.llm.endpoint import Endpoint

REFUSALS: list[tuple[dict[str, Any], type[errors.ModelError], bool]] = [
    ({"status": 400}, errors.BadRequest, False),
    ({"status": 401}, errors.AuthenticationFailed, False),
    ({"status": 402}, errors.QuotaExceeded, False),
    ({"status": 404}, errors.ModelNotFound, False),
    ({"status": 429}, errors.RateLimited, True),
    ({"status": 500}, errors.ProviderUnavailable, True),
    ({"status": 503}, errors.ProviderUnavailable, True),
    ({"status": 529}, errors.Overloaded, True),
]


@pytest.mark.parametrize(("rule", "error", "transient"), REFUSALS)
async def test_a_refusal_is_the_right_error(
    gateways: Gateways, server: ModelServer, rule: dict[str, Any], error: type[errors.ModelError], transient: bool
) -> None:
    server.script.fail(times=2, **rule)
    gateway = gateways.open()
    for asking in (ask(gateway), read(gateway)):
        with pytest.raises(error) as raised:
            await asking
        assert raised.value.transient is transient
        assert gateways.last.error == f"{error.__name__}: {raised.value}"
        assert gateways.last.cost is None
    assert len(server.requests) == 2


async def test_a_rate_limit_says_how_long_to_wait(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail(status=429, retry_after=7)
    with pytest.raises(errors.RateLimited) as raised:
        await ask(gateways.open())
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    "text", ["I'd rather not.", '{"summary": "half', '{"summary": 5}', "[]", '{"key_phrases": []}']
)
async def test_what_does_not_validate_is_bad_output(gateways: Gateways, server: ModelServer, text: str) -> None:
    server.script.fail(text=text)
    with pytest.raises(errors.BadOutput):
        await ask(gateways.open())
    assert gateways.last.error is not None and gateways.last.error.startswith("BadOutput")
    assert gateways.last.output_tokens == len(text) // 4


async def test_json_in_a_fence_is_read(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail(text='Here it is:\n```json\n{"summary": "a", "key_phrases": []}\n```')
    assert (await ask(gateways.open())).summary == "a"


async def test_a_server_that_says_nothing_is_unavailable(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail(hang=True, times=2)
    gateway = gateways.open(timeout=0.2)
    with pytest.raises(errors.ProviderUnavailable, match="in time"):
        await ask(gateway)
    with pytest.raises(errors.ProviderUnavailable, match="in time"):
        await read(gateway)
    await server.wait_for_aborts(2)


async def test_a_stream_that_stops_sending_is_unavailable(gateways: Gateways, server: ModelServer) -> None:
    server.script.hold("write-section", after=1)
    with pytest.raises(errors.ProviderUnavailable, match="in time"):
        await read(gateways.open(timeout=0.2))


async def test_a_dropped_connection_is_unavailable(gateways: Gateways, server: ModelServer) -> None:
    server.script.fail("take-notes", cut="reset")
    with pytest.raises(errors.ProviderUnavailable):
        await ask(gateways.open())


async def test_a_server_that_is_not_there_is_unavailable_and_names_the_setting(gateways: Gateways) -> None:
    async with ModelServer() as gone:
        address = gone.base_url
    with pytest.raises(errors.ProviderUnavailable, match="LONGHAND_MODEL_BASE_URL"):
        await ask(gateways.open(base_url=address))


async def test_an_address_that_is_none_names_the_setting(gateways: Gateways) -> None:
    with pytest.raises(errors.ModelError, match="LONGHAND_MODEL"):
        await ask(gateways.open(base_url="http://[oops"))


async def test_a_refused_key_names_the_setting_and_is_never_shown(gateways: Gateways) -> None:
    wrong = f"{KEY}-wrong"
    gateway = gateways.open(key=wrong)
    for asking in (ask(gateway), read(gateway)):
        with pytest.raises(errors.AuthenticationFailed, match="LONGHAND_MODEL_API_KEY") as raised:
            await asking
        assert wrong not in "".join(traceback.format_exception(raised.value))
        assert wrong not in repr(raised.value)
        assert raised.value.__context__ is None and raised.value.__cause__ is None
        assert wrong not in gateways.last.model_dump_json()


async def test_a_provider_that_quotes_the_key_is_redacted(gateways: Gateways, server: ModelServer) -> None:
    async with ModelServer() as careless:
        careless.script.fail(status=400, says=f"What is {KEY}?")
        with pytest.raises(errors.BadRequest, match=r"What is \*\*\*\?"):
            await ask(gateways.open(base_url=careless.base_url))
    assert KEY not in gateways.last.model_dump_json()


@pytest.mark.parametrize("name", ["", "gpt", "openai:", ":gpt"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(errors.ModelNotFound):
        ChatModel(name, Endpoint())


async def test_a_provider_that_nobody_knows_names_the_settings(gateways: Gateways) -> None:
    from worker.llm.chat_model import Prompt
    from worker.llm.usage import TokenUsage

    with pytest.raises(errors.ModelNotFound, match="LONGHAND_MODEL"):
        await ChatModel("nobody:model", Endpoint()).complete(Prompt("", "", 1), TokenUsage())
