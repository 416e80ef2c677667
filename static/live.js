/* Keeps a page in step with a run's log: it decides when to connect, from which cursor, and what counts; htmx parses the
stream and swaps. What it finds on a page, and in the stream, is in docs/live-pages.md. Needs htmx and hx-sse before it. */
(() => {
  "use strict";
  const POLL = 15_000, SILENCE = 40_000, FIRST_DELAY = 500, LONGEST_DELAY = 5_000, GRACE = 1_500;
  const ENDED = ["succeeded", "incomplete", "failed", "cancelled"], $ = (selector) => document.querySelector(selector);
  const live = $("#live[data-live]"), now = () => live.querySelector("[data-run-status]")?.dataset.runStatus;
  let skew = 0; // this machine's clock minus the server's, in ms

  function tick() {
    for (const element of document.querySelectorAll("[data-since], [data-until]")) {
      const { since, until } = element.dataset;
      const past = (Date.now() - skew - Date.parse(since ?? until)) / 1000;
      const s = Math.max(0, since ? Math.floor(past) : Math.ceil(-past / 5) * 5), m = Math.floor(s / 60);
      if (until) element.parentElement.hidden = !s; // it takes longer than was thought: nothing is said
      element.textContent = s < 60 ? `${s} s` : m < 60 ? `${m} min ${s % 60} s` : `${Math.floor(m / 60)} h ${m % 60} min`;
    }
    if (live) watch();
  }
  setInterval(tick, 1000);
  htmx.config.noSwap = [204, 304, "4xx", "5xx"];
  setInterval(() => {
    const list = $("[data-again]"); // no stream tells of these runs
    if (list && !document.hidden) htmx.ajax("GET", list.dataset.again, { source: list, target: list, swap: "outerMorph" });
  }, 4_000);
  addEventListener("htmx:finally:request", ({ detail: { ctx, ctx: { sourceElement: form } } }) => {
    if (!form.dataset.unkept || (ctx.status === "swapped" && ctx.swap !== "none")) return;
    ctx.target.textContent = form.dataset.unkept;
    htmx.trigger(form, "unkept"); // which it answers by trying again, after a while
  });
  if (!live) return;

  // The connection: one loop, one request at a time, always from data-cursor.
  let ctx, failures = 0, serverDelay, connected = false, refused = false, finished = ENDED.includes(now()), away = false;
  let looping = false, heard = Date.now(), lost = Date.now(), wake = () => {};
  const wanted = () => !finished && !away && !document.hidden;

  async function follow() {
    if (looping) return;
    looping = true;
    while (wanted()) {
      const url = new URL(live.dataset.live, location.href);
      url.searchParams.set("after", live.dataset.cursor);
      const headers = { Accept: "text/event-stream" };
      await htmx.ajax("GET", url.pathname + url.search, { source: live, swap: "none", headers, timeout: POLL });
      if (connected) [lost, connected] = [Date.now(), false];
      const delay = serverDelay ?? Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures++) * (0.7 + 0.6 * Math.random());
      serverDelay = undefined;
      if (wanted()) await new Promise((resolve) => { setTimeout(resolve, delay); wake = resolve; });
    }
    looping = false;
  }

  const rest = () => { ctx?.request.abort(); wake(); };
  const resume = () => { // at once, also in the middle of a wait
    [away, failures, serverDelay, lost] = [false, 0, undefined, Date.now()];
    rest();
    follow();
  };

  const on = (name, listener) => live.addEventListener(name, (event) => event.target === live && listener(event));
  on("htmx:before:request", ({ detail }) => { ctx = detail.ctx; });
  on("htmx:before:response", (event) => { // not fired for a stream: this is a proxy's error page, a login form, …
    const status = ctx.response.status;
    finished = status === 204;
    refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
    event.preventDefault();
    ctx.request.abort();
  });
  on("htmx:sse:after:connection", () => {
    [connected, refused, heard] = [true, false, Date.now()];
    skew = Date.now() - (Date.parse(ctx.response.headers.get("Date")) || Date.now() - skew);
    watch();
  });
  on("htmx:sse:close", ({ detail: { connection, reason } }) => {
    if (reason === "message") finished = true;
    if (connection.config.reconnectDelay !== 500) serverDelay = connection.config.reconnectDelay; // 500: nobody said
  });
  for (const name of ["online", "offline"]) addEventListener(name, resume); // a stream notices neither
  addEventListener("pagehide", () => { away = true; rest(); });
  addEventListener("pageshow", (event) => event.persisted && resume());
  addEventListener("focus", () => away && resume()); // a navigation was begun, and stopped
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : finished ? ask().then(resume) : resume()));

  // Messages.
  let focused, home, selection; // before a message
  const isAfter = (a, b) => {
    const [[ms, seq], [otherMs, otherSeq]] = [a, b].map((cursor) => cursor.split("-").map(BigInt));
    return ms > otherMs || (ms === otherMs && seq > otherSeq);
  };
  const ends = ({ anchorNode, anchorOffset, focusNode, focusOffset }) => [anchorNode, anchorOffset, focusNode, focusOffset];
  const fits = (node, at) => live.contains(node) && at <= (node.nodeType === 3 ? node.length : node.childNodes.length);

  on("htmx:sse:before:message", (event) => {
    const { message } = event.detail;
    [heard, failures] = [Date.now(), 0];
    if (message.event === "reset") message.event = ""; // swapped like a patch, whatever its cursor
    else if (!message.event && !isAfter(message.id, live.dataset.cursor)) event.preventDefault();
    [focused, selection] = [document.activeElement, ends(getSelection())];
    home = focused.closest('[tabindex="-1"]');
  });
  on("htmx:sse:after:message", ({ detail: { message } }) => {
    if (message.event) return;
    live.dataset.cursor = message.id;
    const [node, offset, other, otherOffset] = selection; // new text in a text node collapses what was selected in it
    const moved = (node !== other || offset !== otherOffset) && ends(getSelection()).some((part, i) => part !== selection[i]);
    if (moved && fits(node, offset) && fits(other, otherOffset)) getSelection().setBaseAndExtent(...selection);
    if (!focused.isConnected) home?.focus({ preventScroll: true });
    tick(); // what was just swapped in has the server's words
    tell(now());
  });
  htmx.registerExtension("longhand", { // a patch leaves open what a person opened, and focus where it was led to
    htmx_before_morph_attr: ({ localName }, { attrName: name }) => name !== "tabindex" && !(name === "open" && localName === "details"),
  });

  // How the run stands.
  const tell = (status) => live.dispatchEvent(new CustomEvent("longhand:status", { detail: status }));
  async function ask() { // without a stream
    const answer = await fetch(live.dataset.status).then((r) => (r.ok ? r.json() : {})).catch(() => ({}));
    if (answer.status) tell(answer.status);
    if (answer.cursor && answer.cursor !== live.dataset.cursor) finished = false; // ended, and then retried elsewhere
  }
  setInterval(() => document.hidden !== finished && ask().then(follow), POLL); // for the title; for a retry elsewhere

  const banner = $(".connection"), stalled = $("[data-stalled-after]");
  function watch() {
    if (connected && Date.now() - heard > SILENCE) ctx.request.abort(); // cut without a word, or this machine slept
    const state = finished || connected || document.hidden ? "" : refused ? "refused" : navigator.onLine ? "reconnecting" : "offline";
    const text = state && Date.now() - lost > GRACE ? banner?.dataset[state] : "";
    if (banner && banner.textContent !== text) [banner.textContent, banner.dataset.state, banner.hidden] = [text, state, !text];
    const age = Date.now() - skew - Number(live.dataset.cursor.split("-")[0]);
    if (stalled) stalled.hidden = !(connected && now() === "running" && age > stalled.dataset.stalledAfter * 1000);
  }
  tick(), follow();
})();
