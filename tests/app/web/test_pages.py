"""All pages: their owners, their errors, and hostile texts."""

from __future__ import annotations

import re

import pytest
from lxml import html as lxml_html

from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import OUTLINE, PROFILE, begin_post, read_site

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


async def test_what_one_workspace_owns_is_404_to_another(ann: Client, bob: Client) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    run = run_of(await ann.get(post))
    for address in (site, post, f"{post}.md", f"/runs/{run}", f"/runs/{run}/trace", f"/runs/{run}/status"):
        assert (await ann.get(address)).status_code in (200, 409), address
        theirs = await bob.get(address)
        assert theirs.status_code == 404, address
        assert run not in theirs.text
    for address in (
        f"{site}/posts",
        f"/runs/{run}/cancellation",
        f"/runs/{run}/retries",
        f"/runs/{run}/answers/outline",
    ):
        assert (await bob.post(address, data={"topic": "mine now"})).status_code == 404, address


@pytest.mark.parametrize("path", ["/sites/none", "/posts/none", "/posts/none.md", "/posts/none.exe", "/runs/none"])
async def test_unknown_ids_are_404_pages(ann: Client, path: str) -> None:
    answer = await ann.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


async def test_error_pages_are_in_plain_words(ann: Client) -> None:
    site = await add_site(ann)
    answers = [
        (400, await ann.get("/runs?after=nonsense")),
        (403, await ann.post("/sites", headers={"origin": "https://evil.example"})),
        (404, await ann.get("/posts/none")),
        (405, await ann.put("/runs")),
        (413, await ann.post(f"{site}/posts", data={"topic": "x" * 1_100_000})),
    ]
    for status, answer in answers:
        assert answer.status_code == status
        page = lxml_html.fromstring(answer.text)
        heading = page.xpath("string(//h1)")
        assert page.xpath("string(//title)") == f"{heading} · Longhand"
        said = page.xpath("string(//main)")
        assert len(" ".join(said.split()).partition(heading)[2]) > 60, said
        assert not re.search("Bad Request|Forbidden|Not Found|Not Allowed|Too Large", answer.text)


async def test_hostile_texts_stay_texts(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    reading = read_site(1, finish=False)
    reading.publish(
        "profile-site",
        "profile",
        {**PROFILE, "name": HOSTILE, "key_pages": [{"url": "javascript:alert(3)", "title": HOSTILE}]},
    )
    reading.say("read-pages", HOSTILE)
    reading.fail("read-pages/read-page:p0", HOSTILE)
    await play(run_of(await ann.get(site)), reading)
    post = await add_post(ann, site, topic=HOSTILE, audience=HOSTILE)
    writing = begin_post()
    writing.publish("", "outline", {**OUTLINE, "title": HOSTILE})
    writing.publish("", "sources", [{"number": 1, "url": "javascript:alert(4)", "title": HOSTILE, "passages": ["s1"]}])
    writing.begin("write-section:price")
    writing.write(
        "write-section:price",
        f"{HOSTILE} [x](javascript:alert(5)) [s1]\n\n<b onclick=alert(6)>b</b>\n\n<hx-partial hx-target='body'>",
    )
    await play(run_of(await ann.get(post)), writing)
    run = run_of(await ann.get(post))
    for address in (site, post, f"/runs/{run}", f"/runs/{run}/trace", "/runs", "/"):
        page = lxml_html.fromstring((await ann.get(address)).text)
        assert all(script.get("src", "").startswith("/static/") for script in page.iter("script")), address
        assert not list(page.iter("img")), address
        for element in page.iter():
            names = [name for name in element.attrib if name.startswith("on")]
            assert not names, (address, names)
            assert not element.get("href", "").lower().startswith("javascript:"), address
