"""The page of API tokens."""

from __future__ import annotations

from lxml import html as lxml_html

from tests.app.web.clients import Client


async def test_tokens_are_created_shown_once_and_revoked(ann: Client, anonymous: Client) -> None:
    refused = await ann.post("/tokens", data={"name": "x" * 81})
    assert refused.status_code == 400
    assert f'value="{"x" * 81}"' in refused.text
    made = await ann.post("/tokens", data={"name": "notebook"})
    secret = lxml_html.fromstring(made.text).xpath("string(//*[@id='secret'])")
    assert (await anonymous.get("/api/runs", headers={"authorization": f"Bearer {secret}"})).status_code == 200
    page = await ann.get("/tokens")
    assert secret not in page.text
    action = lxml_html.fromstring(page.text).xpath("//form[contains(@action, 'revocation')]/@action")[0]
    assert "Keep it" in lxml_html.fromstring(page.text).xpath("string(//details[@class='confirm']/summary)")
    assert (await ann.post(action)).status_code == 303
    assert (await anonymous.get("/api/runs", headers={"authorization": f"Bearer {secret}"})).status_code == 401


async def test_a_token_is_revoked_in_two_steps(ann: Client) -> None:
    await ann.post("/tokens", data={"name": "notebook"})
    page = lxml_html.fromstring((await ann.get("/tokens")).text)
    assert page.xpath("//details[not(@open)][summary[contains(., 'Revoke')]]//form[contains(@action, 'revocation')]")
