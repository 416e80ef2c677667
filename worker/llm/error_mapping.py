"""Errors of providers mapped to `ModelError`, with the setting to fix and without the key."""

from __future__ import annotations

import httpx2
from openai import OpenAIError
from pydantic_ai import exceptions as theirs

from worker.llm import errors

PROVIDER_ERRORS = (
    theirs.AgentRunError,
    theirs.UserError,
    OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    ImportError,
    ValueError,
)
"""Raised by pydantic-ai and the clients below it. Any other error is a bug of ours, and is not mapped."""

_QUOTED_CHARACTERS = 300


def map_error(error: Exception, model: str, key: str) -> errors.ModelError:
    """Return the `ModelError` for one of `PROVIDER_ERRORS`. The key in what it quotes is redacted."""
    retry_after = getattr(error, "retry_after", None)
    quoted = quote(error, key)
    match error:
        case theirs.ModelRateLimitError():
            return errors.RateLimited(f"{model} limits how often it is asked{quoted}", retry_after=retry_after)
        case theirs.ModelQuotaExceededError():
            return errors.QuotaExceeded(f"The account of {model} has no quota left{quoted}")
        case theirs.ModelOverloadedError():
            return errors.Overloaded(f"{model} is overloaded{quoted}", retry_after=retry_after)
        case theirs.ModelTimeoutError() | theirs.ModelRequestTimeout() | httpx2.TimeoutException():
            return errors.ProviderUnavailable(f"{model} did not answer in time.")
        case theirs.ModelConnectionError():
            hint = "check LONGHAND_MODEL_BASE_URL if this lasts"
            return errors.ProviderUnavailable(f"{model} could not be reached: {hint}.")
        case theirs.ModelAuthenticationError():
            return errors.AuthenticationFailed(f"{model} refuses the key: set LONGHAND_MODEL_API_KEY.")
        case theirs.ModelNotFoundError():
            hint = "check LONGHAND_MODEL, LONGHAND_FALLBACK_MODEL and LONGHAND_MODEL_BASE_URL"
            return errors.ModelNotFound(f"{model} is not known there: {hint}.")
        case theirs.ModelRequestRejectedError():
            return errors.BadRequest(f"{model} refuses the request{quoted}")
        case theirs.ModelAPIError() if "finish_reason" in str(error):
            return errors.StreamCut(f"The answer of {model} broke off before its end.")
        case theirs.ModelHTTPError(status_code=status) if status < 500:
            return errors.BadRequest(f"{model} refuses the request ({status}){quoted}")
        case theirs.ModelAPIError():
            return errors.ProviderUnavailable(f"{model} failed{quoted}", retry_after=retry_after)
        case theirs.UnexpectedModelBehavior():
            return errors.BadOutput(f"{model} sent an answer that can't be read.")
        case OpenAIError() | theirs.UserError() | httpx2.InvalidURL() | ImportError() | ValueError():
            hint = "check the settings LONGHAND_MODEL, LONGHAND_FALLBACK_MODEL and LONGHAND_MODEL_*"
            return errors.ModelNotFound(f"{model} can't be used: {hint}{quoted}")
    return errors.ProviderUnavailable(f"{model} failed with {type(error).__name__}.")


def quote(error: Exception, key: str) -> str:
    """Return the provider's message as the end of a sentence: short, on one line, and without the key."""
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") if isinstance(inner, dict) else inner
    text = " ".join(str(body or getattr(error, "message", "") or error).split())
    if key:
        text = text.replace(key, "***")
    return f": {text[:_QUOTED_CHARACTERS]}" if text else "."
