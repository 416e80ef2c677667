"""Prices of model calls: known models have one, others have none."""

from __future__ import annotations

from worker.llm.prices import price_call
from worker.llm.usage import TokenUsage

USAGE = TokenUsage(input_tokens=1000, output_tokens=100, reported=True)


def test_a_known_model_has_a_price() -> None:
    price = price_call("openai:gpt-4o-mini", "", USAGE)
    assert price is not None and 0 < price < 0.01


def test_cached_tokens_cost_less() -> None:
    cached = TokenUsage(input_tokens=1000, output_tokens=100, cached_tokens=800, reported=True)
    full, less = price_call("openai:gpt-4o-mini", "", USAGE), price_call("openai:gpt-4o-mini", "", cached)
    assert full is not None and less is not None and less < full


def test_an_unknown_model_has_none() -> None:
    assert price_call("openai:nobody-knows-me", "", USAGE) is None
    assert price_call("nobody:gpt-4o-mini", "", USAGE) is None


def test_a_model_at_an_address_of_ones_own_has_none() -> None:
    assert price_call("openai:gpt-4o-mini", "http://127.0.0.1:9/v1", USAGE) is None
