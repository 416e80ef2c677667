"""Errors of model calls.

    ModelError
    ├── RateLimited            the provider's limit was reached        transient
    ├── ProviderUnavailable    5xx, no connection, timed out           transient
    │   └── Overloaded         the provider says it is overloaded      transient
    ├── CircuitOpen            it failed too often just now            transient
    ├── StreamCut              the answer ended before its end         transient
    ├── BadOutput              the answer does not fit the request     transient
    ├── AuthenticationFailed   the key is refused                      a setting to fix
    ├── ModelNotFound          no such model or address                a setting to fix
    ├── QuotaExceeded          the account has nothing left            an account to fill
    ├── BadRequest             the provider refuses the request
    └── BudgetExceeded         the run has spent its budget

No message holds the key: messages are ours, and a provider's text that they quote is redacted first.
"""

from __future__ import annotations

from typing import ClassVar


class ModelError(Exception):
    """A model call failed. `transient`: the same call may work later. `retry_after`: seconds to wait, if known."""

    transient: ClassVar[bool] = False
    unavailable: ClassVar[bool] = False
    """Another model may well answer now."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(ModelError):
    """The provider's own limit was reached."""

    transient = True
    unavailable = True


class ProviderUnavailable(ModelError):
    """The provider failed, could not be reached, or did not answer in time."""

    transient = True
    unavailable = True


class Overloaded(ProviderUnavailable):
    """The provider says that it is overloaded."""


class CircuitOpen(ModelError):
    """The model failed several times in a row; it is not called for `retry_after` seconds."""

    transient = True
    unavailable = True


class StreamCut(ModelError):
    """The answer stopped without a finish reason or without its usage: its text is not complete."""

    transient = True
    unavailable = True


class BadOutput(ModelError):
    """The model's answer does not fit the request. Another attempt may do better."""

    transient = True


class AuthenticationFailed(ModelError):
    """The provider refuses the key."""


class ModelNotFound(ModelError):
    """The provider doesn't know the model, or the setting that names it can't be read."""


class QuotaExceeded(ModelError):
    """The account's quota or credit is used up; waiting doesn't help."""

    unavailable = True


class BadRequest(ModelError):
    """The provider refuses the request as it is."""


class BudgetExceeded(ModelError):
    """The run has used up its tokens or its money."""
