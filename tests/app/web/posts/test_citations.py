"""Numbers of sources in place of citations: the same in its export and in the API's output."""

from __future__ import annotations

import pytest

from app.content.citations import source_numbers
from app.content.values import Source
from app.markdown.export import write_html, write_markdown
from tests.app.conftest import Take, start_echo
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import HEADINGS, SOURCES, begin_post, finish_post, write_section

NUMBERS = {"s1": 1, "s2": 1, "s3": 2}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("True [s1].", "True [1]."),
        ("True [s1, s2; s3].", "True [1, 2]."),
        ("True [s3,s9].", "True [2]."),
        ("Invented [s9].", "Invented."),
        ("One.\n\n[s9] Two.", "One.\n\nTwo."),
        ("Kept [x1], [1], s1 and [s].", r"Kept \[x1\], \[1\], s1 and \[s\]."),
    ],
)
def test_a_citation_is_the_number_of_its_source_or_nothing(text: str, read: str) -> None:
    assert write_markdown(text, NUMBERS) == read


def test_pages_know_the_same_citations() -> None:
    html = write_html("True [s1; s3], not [s8; s9].", NUMBERS)
    assert html.count('class="cite"') == 2
    assert "[s" not in html


async def test_the_output_of_a_post_reads_as_its_export_does(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    await play(run, finish_post(("wait",)))
    output = (await ann.get(f"/api/runs/{run}/output")).text
    assert "outside wall [1]. In the houses we have finished, the loss lay between 4.1 and 7.8 kW [1, 2]." in output
    assert "[s" not in output
    export = (await ann.get(f"{post}.md")).text
    sections = output.split("Every quote begins")[1:]
    assert len(sections) == len(HEADINGS) - 1
    assert all(f"Every quote begins{section}".strip() in export for section in sections)
    listed = [Source.model_validate(one) for one in (await ann.get(f"/api/runs/{run}")).json()["output"]["sources"]]
    assert source_numbers(listed) == source_numbers(map(Source.model_validate, SOURCES))


async def test_a_section_is_sent_with_its_numbers_while_others_are_written(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    log = begin_post()
    write_section(log, "price", "Measured [s4], not guessed [s77].")
    log.begin("write-section:parts", HEADINGS["parts"])
    await play(run, log)
    async with ann.stream("GET", f"/api/runs/{run}/output") as stream:
        assert await anext(stream.aiter_text()) == "Measured [3], not guessed."


async def test_what_is_code_on_the_page_is_code_in_the_output(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    run = run_of(await ann.get(post))
    log = begin_post()
    write_section(log, "price", "Cite with `[s4]`, not with <b> [s4].")
    log.begin("write-section:parts", HEADINGS["parts"])
    await play(run, log)
    async with ann.stream("GET", f"/api/runs/{run}/output") as stream:
        assert await anext(stream.aiter_text()) == "Cite with `[s4]`, not with &lt;b> [3]."


async def test_what_is_in_brackets_in_another_workflow_is_its_own(ann: Client, take: Take) -> None:
    run = await start_echo(ann)
    worker = await take(run)
    await worker.start()
    await worker.begin("echo")
    await worker.publish("echo", "sources", SOURCES)
    await worker.write("echo", "Sections [s1] and [s99].")
    await worker.succeed("echo")
    await worker.end("x")
    assert (await ann.get(f"/api/runs/{run}/output")).text == "Sections [s1] and [s99]."
