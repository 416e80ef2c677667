"""The circuit breaker, by a clock that the test sets."""

from __future__ import annotations

import pytest

from tests.model_server import ModelServer
from tests.worker.llm.conftest import Gateways
from tests.worker.llm.test_gateway import ask
from worker.llm.circuit import CircuitBreaker
from worker.llm.errors import BadOutput, CircuitOpen, ProviderUnavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("openai:first", failures=2, cool_down=30, clock=clock)


def call(circuit: CircuitBreaker, error: BaseException | None) -> None:
    circuit.enter()
    circuit.leave(error)


async def test_an_open_circuit_asks_nobody_until_it_has_cooled_down(
    gateways: Gateways, server: ModelServer, circuit: CircuitBreaker, clock: Clock
) -> None:
    server.script.fail(status=500, times=2)
    gateway = gateways.open(circuits={"openai:first": circuit})
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await ask(gateway)

    with pytest.raises(CircuitOpen) as raised:
        await ask(gateway)
    assert raised.value.retry_after == 30
    assert raised.value.transient
    assert len(server.requests) == len(gateways.calls) == 2

    clock.now += 30
    await ask(gateway)
    await ask(gateway)
    assert len(server.requests) == 4


async def test_an_open_circuit_goes_to_the_fallback_at_once(
    gateways: Gateways, server: ModelServer, circuit: CircuitBreaker
) -> None:
    for _ in range(2):
        call(circuit, ProviderUnavailable("down"))
    await ask(gateways.open(circuits={"openai:first": circuit}, fallback=True))
    assert [asked.model for asked in server.requests] == ["second"]


def test_only_one_call_probes(circuit: CircuitBreaker, clock: Clock) -> None:
    for _ in range(2):
        call(circuit, ProviderUnavailable("down"))
    clock.now += 30
    circuit.enter()
    with pytest.raises(CircuitOpen):
        circuit.enter()


def test_a_failed_probe_opens_it_again(circuit: CircuitBreaker, clock: Clock) -> None:
    for _ in range(2):
        call(circuit, ProviderUnavailable("down"))
    clock.now += 30
    call(circuit, ProviderUnavailable("down"))
    with pytest.raises(CircuitOpen) as raised:
        circuit.enter()
    assert raised.value.retry_after == 30


def test_a_cancelled_probe_leaves_room_for_the_next(circuit: CircuitBreaker, clock: Clock) -> None:
    for _ in range(2):
        call(circuit, ProviderUnavailable("down"))
    clock.now += 30
    call(circuit, GeneratorExit())
    circuit.enter()


def test_answers_that_are_bad_but_there_do_not_open_it(circuit: CircuitBreaker) -> None:
    for _ in range(5):
        call(circuit, ProviderUnavailable("down"))
        call(circuit, BadOutput("nonsense"))
    circuit.enter()
