"""Synthetic logs of the shipped workflows, as their runs would write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.contract import events as e
from app.contract import payloads as p
from app.contract.run import Run, fold

EPOCH = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Writer:
    """Writes a log, with one second between events, and pauses."""

    def __init__(self, workflow: str, value: dict[str, Any], title: str = "") -> None:
        self.workflow = workflow
        self.events: list[e.Event] = []
        self.attempts: dict[str, int] = {}
        self.lengths: dict[str, int] = {}
        self.passes = 0
        self.paused = 0
        self.add(e.RunSubmitted, p.Submitted(workflow=workflow, title=title or workflow, input=value))

    def add(self, kind: Any, data: Any, path: str = "") -> str:
        """Append an event; return its cursor."""
        at = self.now
        cursor = f"{int(at.timestamp() * 1000)}-0"
        attempt = self.attempts.get(path, 0)
        self.events.append(kind(id=cursor, at=at, step=path, attempt=attempt, epoch=self.passes, data=data))
        return cursor

    @property
    def now(self) -> datetime:
        """The time of the next event."""
        return EPOCH + timedelta(seconds=len(self.events) + self.paused)

    def pause(self, seconds: int) -> None:
        """Let the next event come that many seconds later."""
        self.paused += seconds

    def path(self, name: str) -> str:
        return f"{self.workflow}/{name}" if name else self.workflow

    def start_run(self) -> None:
        self.passes += 1
        self.add(e.RunStarted, p.Started(workflow=self.workflow, version="1", number=self.passes))

    def begin(self, name: str, label: str = "", generation: str = "") -> None:
        path = self.path(name)
        self.attempts[path] = self.attempts.get(path, 0) + 1
        self.lengths[path] = 0
        component = path.rpartition("/")[2].partition(":")[0]
        self.add(e.StepStarted, p.StepBegun(component=component, label=label, generation=generation), path)

    def write(self, name: str, text: str) -> None:
        path = self.path(name)
        self.add(e.StepOutput, p.Output(offset=self.lengths[path], text=text), path)
        self.lengths[path] += len(text)

    def say(self, name: str, text: str) -> None:
        self.add(e.StepMessage, p.Message(text=text), self.path(name))

    def progress(self, name: str, done: int, total: int) -> None:
        self.add(e.StepProgress, p.Progress(done=done, total=total), self.path(name))

    def publish(self, name: str, key: str, value: Any) -> None:
        self.add(e.ObjectPublished, p.Published(name=key, value=value), self.path(name))

    def call(self, name: str) -> None:
        called = p.Called(model="m", kind="section", input_tokens=900, output_tokens=340, cost=0.002, seconds=3)
        self.add(e.ModelCalled, called, self.path(name))

    def retry(self, name: str, message: str = "The model’s server answered 503.", seconds: float = 6) -> None:
        error = p.ErrorData(kind="Unavailable", message=message)
        self.add(e.StepRetrying, p.Retrying(error=error, seconds=seconds), self.path(name))

    def succeed(self, name: str, result: Any = None) -> None:
        self.add(e.StepSucceeded, p.StepDone(result=result), self.path(name))

    def fail(
        self, name: str, message: str = "The model’s server answered 503, four times.", stands: bool = False
    ) -> None:
        error = p.ErrorData(kind="Unavailable", message=message)
        self.add(e.StepFailed, p.StepError(error=error, stands=stands), self.path(name))

    def skip(self, name: str) -> None:
        self.add(e.StepSkipped, p.Skipped(), self.path(name))

    def damage(self) -> None:
        cursor = f"{int(self.now.timestamp() * 1000)}-0"
        self.events.append(e.decode_event(cursor, '{"type": "step.annotated", "data": {}}'))

    def fold(self, length: int | None = None) -> Run:
        return fold("run_1", self.events[:length])


PASSAGES = ["s1", "s2", "s3", "s4"]
SOURCES = [
    {
        "number": 1,
        "url": "https://marloweheat.example/survey",
        "title": "The heat-loss survey",
        "passages": ["s1", "s2"],
    },
    {"number": 2, "url": "https://marloweheat.example/prices", "title": "Prices, all of them", "passages": ["s3"]},
    {"number": 3, "url": "https://marloweheat.example/", "title": "Marlowe Heat Pumps", "passages": ["s4"]},
]
HEADINGS = {
    "price": "What the survey finds first",
    "parts": "Three sums that make up the price",
    "wait": "When it is not worth it",
    "ask": "What to ask an installer",
}
OUTLINE = {
    "title": "What a heat pump really costs in a terraced house",
    "summary": "The survey, the radiators, the grant, and the first winter’s bill.",
    "sections": [
        {"id": key, "heading": heading, "points": ["Figures", "Where they come from"], "passages": ["s1", "s3"]}
        for key, heading in HEADINGS.items()
    ],
}
TEXT = (
    "Every quote begins with a morning in the house. We measure **each room**, each window and each outside wall [s1]. "
    "In the houses we have finished, the loss lay between 4.1 and 7.8 kW [s2, s3].\n\n"
    "- The heat pump, its stand, and the *run* to the cylinder\n- Radiators: on average five of nine [s4]\n\n"
    "The survey costs £240, and that sum `comes off` the price if you go ahead [s3]. See [the list]"
    "(https://marloweheat.example/prices).\n"
)
BRIEF = {
    "site_id": "site_1",
    "topic": "What a heat pump really costs",
    "audience": "owners of draughty terraced houses",
    "tone": "Plain, dry, exact",
    "length": "medium",
    "approve_outline": False,
}


def section_json(key: str, text: str = TEXT) -> dict[str, Any]:
    check = {"sentence": "Most owners are surprised.", "reason": "The cited page does not say so."}
    checks = [check] if key == "parts" else []
    return {"id": key, "heading": HEADINGS[key], "markdown": text, "sources": ["s1"], "checks": checks}


def post_json(keys: list[str], missing: list[str]) -> dict[str, Any]:
    return {
        "title": OUTLINE["title"],
        "summary": OUTLINE["summary"],
        "sections": [section_json(key) for key in keys],
        "missing": [{"id": key, "heading": HEADINGS[key], "error": "503"} for key in missing],
        "sources": SOURCES,
        "author": "extractive",
    }


def begin_post(approve: bool = False) -> Writer:
    """Return a post's log up to its outline; with `approve`, waiting for the approval."""
    log = Writer("write-post", {**BRIEF, "approve_outline": approve}, "Post: What a heat pump really costs")
    log.start_run()
    log.begin("")
    log.begin("research", "Research")
    log.say("research", "Found 18 passages on 9 pages")
    log.succeed("research")
    log.begin("outline-post", "Outline")
    log.call("outline-post")
    log.publish("outline-post", "outline", OUTLINE)
    log.succeed("outline-post", OUTLINE)
    if approve:
        ask = p.Ask(ask="ask-7f31", name="outline", step="write-post", proposal=OUTLINE, answer_schema={})
        log.add(e.RunWaiting, p.WaitingData(asks=[ask]))
        return log
    log.publish("", "outline", OUTLINE)
    log.publish("", "sources", SOURCES)
    return log


def write_section(log: Writer, key: str, text: str = TEXT, pieces: int = 6) -> None:
    name = f"write-section:{key}"
    log.begin(name, HEADINGS[key])
    size = len(text) // pieces + 1
    for start in range(0, len(text), size):
        log.write(name, text[start : start + size])
    log.call(name)
    log.publish(name, "section", section_json(key, text))
    log.succeed(name, section_json(key, text))


def finish_post(failed: tuple[str, ...] = ()) -> Writer:
    """Return the log of a finished post; the sections in `failed` could not be written."""
    log = begin_post()
    for key in HEADINGS:
        if key in failed:
            log.begin(f"write-section:{key}", HEADINGS[key])
            log.write(f"write-section:{key}", "This text was **never")
            log.fail(f"write-section:{key}")
        else:
            write_section(log, key)
    done = [key for key in HEADINGS if key not in failed]
    output = post_json(done, list(failed))
    log.begin("assemble-post", "Put the post together")
    log.succeed("assemble-post", output)
    log.succeed("", output)
    if failed:
        log.add(e.RunIncomplete, p.Incomplete(output=output, failed=[log.path(f"write-section:{k}") for k in failed]))
    else:
        log.add(e.RunSucceeded, p.Result(output=output))
    return log


PROFILE = {
    "name": "Marlowe Heat Pumps",
    "tagline": "Quiet heat for old houses, fitted by people who live in them.",
    "summary": "Marlowe designs and fits air-source heat pumps in Victorian terraces across West Yorkshire.",
    "offers": ["Room-by-room heat-loss surveys", "Air-source heat pump design", "Yearly servicing"],
    "audience": "Owners of draughty terraced houses",
    "tone": "Plain, dry, exact",
    "key_pages": [{"url": "https://marloweheat.example/survey", "title": "The heat-loss survey"}],
}
TOPICS = [
    {
        "title": "Why we measure every room",
        "why": "From “The heat-loss survey”",
        "url": "https://marloweheat.example/survey",
    },
    {"title": "Do you need new radiators?", "why": "From “Radiators, honestly”", "url": ""},
]


def read_site(pages: int = 4, *, finish: bool = True) -> Writer:
    """Return the log of a site that was read; without `finish`, up to the middle of its pages."""
    log = Writer("onboard-site", {"url": "https://marloweheat.example/"}, "marloweheat.example")
    log.start_run()
    log.begin("")
    log.begin("read-home", "Read the home page")
    log.publish("read-home", "address", "http://marloweheat.example/")
    log.succeed("read-home")
    log.begin("profile-site", "Make the profile")
    log.publish("profile-site", "profile", PROFILE)
    log.succeed("profile-site", PROFILE)
    log.begin("read-pages", "Read the pages")
    for number in range(pages):
        name = f"read-pages/read-page:p{number}"
        log.begin(name, f"/page-{number}")
        if not finish and number >= pages - 1:
            log.progress("read-pages", number, pages + 9)
            return log
        if number == 1:
            log.fail(name, "not a web page (application/pdf)")
        else:
            page = {"url": f"https://marloweheat.example/page-{number}", "title": f"Page {number}", "summary": "…"}
            log.publish(name, "page", page)
            log.succeed(name, page)
        log.progress("read-pages", number + 1, pages)
    log.succeed("read-pages")
    log.begin("suggest-topics", "Suggest topics")
    log.publish("suggest-topics", "topics", TOPICS)
    log.succeed("suggest-topics", TOPICS)
    log.succeed("", {})
    log.add(e.RunIncomplete, p.Incomplete(output={}, failed=["onboard-site/read-pages/read-page:p1"]))
    return log
