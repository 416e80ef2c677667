"""Where forms lead: to the page that they stand on, with the reason where the run refuses the command."""

from __future__ import annotations

from lxml import html as lxml_html

from tests.app.conftest import Take
from tests.app.web.clients import Client, add_post, add_site, ask_for_outline, fill, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import finish_post, read_site


async def test_addresses_of_forms_redirect_to_their_pages(ann: Client, bob: Client) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    run = run_of(await ann.get(post))
    wanted = {
        "/sites": "/",
        f"{site}/posts": site,
        f"{site}/posts?choose=Tyres": f"{site}?choose=Tyres",
        f"/runs/{run}/cancellation": post,
        f"/runs/{run}/retries": post,
        f"/runs/{run}/answers/outline": post,
        f"/runs/{run}/drafts": post,
        f"/runs/{run}/drafts/removal": post,
        "/tokens/token_1/revocation": "/tokens",
    }
    for address, page in wanted.items():
        answer = await ann.get(address)
        assert (answer.status_code, answer.headers.get("location")) == (303, page), address
    for address in (f"{site}/posts", f"/runs/{run}/retries"):
        assert (await bob.get(address)).status_code == 404


async def test_stopping_redirects_to_the_page(ann: Client) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    answer = await ann.post(f"/runs/{run}/cancellation")
    assert (answer.status_code, answer.headers["location"]) == (303, post)
    assert "Stopping" in (await ann.get(post)).text


async def test_a_form_of_a_runs_own_page_redirects_to_it(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, finish_post(("wait",)))
    own, step = f"/runs/{run}", "write-post/write-section:wait"
    refused = await ann.post(f"{own}/cancellation", headers={"referer": f"{ann.base_url}{own}"})
    assert refused.status_code == 409
    assert lxml_html.fromstring(refused.text).xpath("//h2[@id='input-title']")

    async def retry(referer: str) -> str:
        answer = await ann.post(f"{own}/retries", data={"step": step}, headers={"referer": referer})
        assert answer.status_code == 303
        return str(answer.headers["location"])

    there = await retry(f"{ann.base_url}{own}")
    row = lxml_html.fromstring((await ann.get(own)).text).get_element_by_id(there.removeprefix(f"{own}#"))
    assert row.get("data-step") == step
    for elsewhere in ("https://evil.example/", f"{ann.base_url}/runs/other", f"{ann.base_url}{post}", "http://[", ""):
        assert await retry(elsewhere) == f"{post}#section-wait"


async def test_a_late_stop_is_refused_on_the_page_of_its_form(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    reading, writing = run_of(await ann.get(site)), run_of(await ann.get(post))
    await play(reading, read_site())
    await play(writing, finish_post())
    for run, shown in ((reading, "write"), (writing, "document")):
        late = await ann.post(f"/runs/{run}/cancellation")
        assert late.status_code == 409
        page = lxml_html.fromstring(late.text)
        assert page.xpath(f"//*[@id='{shown}']"), run
        assert "The run has ended" in page.xpath("string(//*[@id='refused'])")
        assert page.xpath("//*[@id='live']")


async def test_a_second_answer_is_refused_on_the_page_of_the_post(ann: Client, take: Take) -> None:
    post, run, _ = await ask_for_outline(ann, take)
    await ann.post(f"/runs/{run}/answers/outline", data=fill())
    late = await ann.post(f"/runs/{run}/answers/outline", data=fill(title="Another"))
    assert late.status_code == 409
    page = lxml_html.fromstring(late.text)
    assert page.xpath("//*[@id='document']")
    assert "already answered" in page.xpath("string(//*[@id='refused'])")
    assert "already answered" not in (await ann.get(post)).text
