/* Keeps a page up to date with a run's log: decides when to connect, from which cursor, and which messages count; htmx parses
the stream and swaps. The elements that it needs on a page are in docs/live-pages.md. Needs htmx and hx-sse before it. */
(() => {
  "use strict";
  const POLL = 15_000, SILENCE = 40_000, FIRST_DELAY = 500, LONGEST_DELAY = 5_000, GRACE = 1_500;
  const ENDED = ["succeeded", "incomplete", "failed", "cancelled"], $ = (selector) => document.querySelector(selector);
  const live = $("#live[data-live]"), currentStatus = () => live.querySelector("[data-run-status]")?.dataset.runStatus;
  let clockSkew = 0; // this machine's clock minus the server's, in ms

  function updateTimes() {
    for (const element of document.querySelectorAll("[data-since], [data-until]")) {
      const { since, until } = element.dataset;
      const past = (Date.now() - clockSkew - Date.parse(since ?? until)) / 1000;
      const s = Math.max(0, since ? Math.floor(past) : Math.ceil(-past / 5) * 5), m = Math.floor(s / 60);
      if (until) element.parentElement.hidden = !s; // it takes longer than estimated: show nothing
      element.textContent = s < 60 ? `${s} s` : m < 60 ? `${m} min ${s % 60} s` : `${Math.floor(m / 60)} h ${m % 60} min`;
    }
    if (live) updateBanners();
  }
  setInterval(updateTimes, 1000);
  htmx.config.noSwap = [204, 304, "4xx", "5xx"];
  setInterval(() => {
    const list = $("[data-again]"); // a list of runs, which no stream updates
    if (list && !document.hidden) htmx.ajax("GET", list.dataset.again, { source: list, target: list, swap: "outerMorph" });
  }, 4_000);
  addEventListener("htmx:finally:request", ({ detail: { ctx, ctx: { sourceElement: form } } }) => {
    if (!form.dataset.unkept || (ctx.status === "swapped" && ctx.swap !== "none")) return;
    ctx.target.textContent = form.dataset.unkept;
    htmx.trigger(form, "unkept"); // its hx-trigger then tries again, after a while
  });
  if (!live) return;

  // The connection: one loop, one request at a time, always from data-cursor.
  let ctx, failures = 0, serverDelay, connected = false, refused = false, finished = ENDED.includes(currentStatus()), leaving = false;
  let isFollowing = false, heardAt = Date.now(), lostAt = Date.now(), endDelay = () => {};
  const shouldConnect = () => !finished && !leaving && !document.hidden;

  async function follow() {
    if (isFollowing) return;
    isFollowing = true;
    while (shouldConnect()) {
      const url = new URL(live.dataset.live, location.href);
      url.searchParams.set("after", live.dataset.cursor);
      const headers = { Accept: "text/event-stream" };
      await htmx.ajax("GET", url.pathname + url.search, { source: live, swap: "none", headers, timeout: POLL });
      if (connected) [lostAt, connected] = [Date.now(), false];
      const delay = serverDelay ?? Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures++) * (0.7 + 0.6 * Math.random());
      serverDelay = undefined;
      if (shouldConnect()) await new Promise((resolve) => { setTimeout(resolve, delay); endDelay = resolve; });
    }
    isFollowing = false;
  }

  const disconnect = () => { ctx?.request.abort(); endDelay(); };
  const resume = () => { // at once, also during a delay
    [leaving, failures, serverDelay, lostAt] = [false, 0, undefined, Date.now()];
    disconnect();
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
    [connected, refused, heardAt] = [true, false, Date.now()];
    clockSkew = Date.now() - (Date.parse(ctx.response.headers.get("Date")) || Date.now() - clockSkew);
    updateBanners();
  });
  on("htmx:sse:close", ({ detail: { connection, reason } }) => {
    if (reason === "message") finished = true;
    if (connection.config.reconnectDelay !== 500) serverDelay = connection.config.reconnectDelay; // 500: the default
  });
  for (const name of ["online", "offline"]) addEventListener(name, resume); // a stream notices neither event
  addEventListener("pagehide", () => { leaving = true; disconnect(); });
  addEventListener("pageshow", (event) => event.persisted && resume());
  addEventListener("focus", () => leaving && resume()); // a navigation was begun, and stopped
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : finished ? pollStatus().then(resume) : resume()));

  // Messages.
  let focused, focusFallback, selection; // before a message
  const isAfter = (a, b) => {
    const [[ms, seq], [otherMs, otherSeq]] = [a, b].map((cursor) => cursor.split("-").map(BigInt));
    return ms > otherMs || (ms === otherMs && seq > otherSeq);
  };
  const endsOf = ({ anchorNode, anchorOffset, focusNode, focusOffset }) => [anchorNode, anchorOffset, focusNode, focusOffset];
  const isWithin = (node, at) => live.contains(node) && at <= (node.nodeType === 3 ? node.length : node.childNodes.length);

  on("htmx:sse:before:message", (event) => {
    const { message } = event.detail;
    [heardAt, failures] = [Date.now(), 0];
    if (message.event === "reset") message.event = ""; // swapped like a patch, whatever its cursor
    else if (!message.event && !isAfter(message.id, live.dataset.cursor)) event.preventDefault();
    [focused, selection] = [document.activeElement, endsOf(getSelection())];
    focusFallback = focused.closest('[tabindex="-1"]');
  });
  on("htmx:sse:after:message", ({ detail: { message } }) => {
    if (message.event) return;
    live.dataset.cursor = message.id;
    const [node, offset, other, otherOffset] = selection; // new text in a text node collapses what was selected in it
    const moved = (node !== other || offset !== otherOffset) && endsOf(getSelection()).some((part, i) => part !== selection[i]);
    if (moved && isWithin(node, offset) && isWithin(other, otherOffset)) getSelection().setBaseAndExtent(...selection);
    if (!focused.isConnected) focusFallback?.focus({ preventScroll: true });
    updateTimes(); // what was just swapped in has the server's times
    dispatchStatus(currentStatus());
  });
  htmx.registerExtension("longhand", { // patches keep a <details> open, and the tabindex of the focus
    htmx_before_morph_attr: ({ localName }, { attrName: name }) => name !== "tabindex" && !(name === "open" && localName === "details"),
  });

  // The run's status.
  const dispatchStatus = (status) => live.dispatchEvent(new CustomEvent("longhand:status", { detail: status }));
  async function pollStatus() { // without a stream
    const answer = await fetch(live.dataset.status).then((r) => (r.ok ? r.json() : {})).catch(() => ({}));
    if (answer.status) dispatchStatus(answer.status);
    if (answer.cursor && answer.cursor !== live.dataset.cursor) finished = false; // ended, and then retried elsewhere
  }
  setInterval(() => document.hidden !== finished && pollStatus().then(follow), POLL); // for the title; for a retry elsewhere

  const banner = $(".connection"), stalled = $("[data-stalled-after]");
  function updateBanners() {
    if (connected && Date.now() - heardAt > SILENCE) ctx.request.abort(); // cut without notice, or this machine slept
    const state = finished || connected || document.hidden ? "" : refused ? "refused" : navigator.onLine ? "reconnecting" : "offline";
    const text = state && Date.now() - lostAt > GRACE ? banner?.dataset[state] : "";
    if (banner && banner.textContent !== text) [banner.textContent, banner.dataset.state, banner.hidden] = [text, state, !text];
    const age = Date.now() - clockSkew - Number(live.dataset.cursor.split("-")[0]);
    if (stalled) stalled.hidden = !(connected && currentStatus() === "running" && age > stalled.dataset.stalledAfter * 1000);
  }
  updateTimes(), follow();
})();
