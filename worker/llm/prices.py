"""Prices of model calls, from the price list in the installed packages; nothing is downloaded."""

from __future__ import annotations

from worker.llm.usage import TokenUsage


def price_call(model: str, base_url: str, usage: TokenUsage) -> float | None:
    """Return the price of a call in US dollars; None when the model, or its address, is not in the list.

    A model at an address that is not in the list has no price, even if another provider's model has its name.
    """
    # Imported here: the list takes a while to load, and is only needed after a call.
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition(":")
    tokens = Usage(
        input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cache_read_tokens=usage.cached_tokens
    )
    try:
        if base_url:
            return float(calc_price(tokens, name, provider_api_url=base_url).total_price)
        return float(calc_price(tokens, name, provider_id=provider).total_price)
    except (LookupError, ValueError):
        return None
