"""What a call costs, from the price list that comes with the installed packages; nothing is downloaded."""

from __future__ import annotations

from worker.llm.usage import TokenUsage


def price_call(model: str, base_url: str, meter: TokenUsage) -> float | None:
    """The price in US dollars of what `meter` counted; None when the model or its place is not in the list.

    A model behind an address of one's own has no known price, even if its name is that of a model that has.
    """
    # Imported here, as the list takes a while to load and only calls need it.
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition(":")
    usage = Usage(
        input_tokens=meter.input_tokens, output_tokens=meter.output_tokens, cache_read_tokens=meter.cached_tokens
    )
    try:
        if base_url:
            return float(calc_price(usage, name, provider_api_url=base_url).total_price)
        return float(calc_price(usage, name, provider_id=provider).total_price)
    except (LookupError, ValueError):
        return None
