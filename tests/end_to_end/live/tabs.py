"""Tabs that are in front or behind."""

from __future__ import annotations

from playwright.async_api import Page

HIDDEN_FROM_THE_START = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })"


async def show(page: Page, state: str) -> None:
    """Tell the page that its tab is `visible` or `hidden`: Playwright keeps every tab visible."""
    await page.evaluate(
        """(state) => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
            document.dispatchEvent(new Event('visibilitychange')); }""",
        state,
    )
