/* Tells people how a live page's run stands: in the tab's title, for screen readers, by a notification; and where its
newest text is. Needs live.js before it, both with `defer`, and listens to its `longhand:status` on #live.

<div id="live" data-live="…" data-status="…"             see live.js
     data-titles='{"running": "Writing: …", …}'>         JSON: run status to tab title, announcement and notification
  <p data-summary>2 of 5 sections written</p>            read out when it changes, at most every 10 s; at most one
  <section class="section" data-status="running">…<div class="prose">      text that is being written, in blocks
Outside of all fragments, each optional:
<p data-announce role="status" class="visually-hidden"></p>      what screen readers hear: each end and each wait at
                                                         once, with the summary; between them the summary alone
<button type="button" data-below hidden>New text below</button>  while such text is below the window: leads to the
                                                         nearest, and takes the focus there
<button type="button" data-notify aria-pressed="false" hidden>Tell me…</button>     of an end or a wait, while the tab is
                                                         hidden; not there where a page may not or can't notify */

(() => {
  "use strict";
  const BETWEEN_SUMMARIES = 10_000;
  const ENDED = ["succeeded", "incomplete", "failed", "cancelled"], PAUSED = ["waiting", ...ENDED];
  const $ = (selector) => document.querySelector(selector);
  const live = $("#live[data-live]");
  if (!live) return;
  const [announcer, below, notify] = ["[data-announce]", "[data-below]", "[data-notify]"].map($);
  const titles = JSON.parse(live.dataset.titles ?? "{}");
  let known = live.querySelector("[data-run-status]")?.dataset.runStatus;

  function turn(status) {
    if (status === known) return;
    known = status;
    if (titles[status]) document.title = titles[status];
    if (PAUSED.includes(status)) {
      announce(titles[status]);
      send(titles[status]);
    }
    offer();
  }

  // What screen readers hear. What the page began with was read with the page.
  const summary = () => live.querySelector("[data-summary]")?.textContent.trim() ?? "";
  let said = summary(), saidAt = Date.now();

  function announce(...news) {
    [said, saidAt] = [summary(), Date.now()];
    if (announcer) announcer.textContent = [...news, said].filter(Boolean).join(". ");
  }

  function read() {
    if (summary() && summary() !== said && Date.now() - saidAt > BETWEEN_SUMMARIES) announce();
  }

  // Notifications, for whoever asked for them.
  const key = `notify:${live.dataset.status}`;
  const isAsked = () => able && Notification.permission === "granted" && localStorage.getItem(key) !== null;
  let able = true;

  function send(title) {
    try {
      if (document.hidden && isAsked()) new Notification(title, { tag: `${key}:${known}` });
    } catch { // Chrome on Android has the constructor, and it throws
      able = false;
    }
  }

  function probe() { // where nobody has been asked yet, this shows nothing, but throws like any other
    try {
      if (Notification.permission === "default") new Notification("");
    } catch {
      able = false;
    }
  }

  function offer() {
    if (!notify) return;
    const isFocused = document.activeElement === notify;
    notify.hidden = !able || Notification.permission === "denied" || ENDED.includes(known);
    notify.setAttribute("aria-pressed", String(isAsked()));
    if (notify.hidden && isFocused) notify.closest('[tabindex="-1"]')?.focus({ preventScroll: true });
  }

  notify?.addEventListener("click", async () => {
    if (isAsked()) localStorage.removeItem(key);
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(key, "yes");
    offer();
  });

  // Where the next word will stand, if that is below the window: the last block of the nearest text that grows.
  const growing = '.section[data-status="running"] .prose > :nth-last-child(1 of :not([hidden]))';
  const newest = () => [...live.querySelectorAll(growing)].find((one) => one.getBoundingClientRect().bottom > innerHeight);

  function look() {
    if (below) below.hidden = !newest();
  }

  below?.addEventListener("click", () => {
    const text = newest(), behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    if (!text) return;
    if (!text.hasAttribute("tabindex")) text.tabIndex = -1;
    text.focus({ preventScroll: true });
    text.scrollIntoView({ block: "end", behavior });
  });

  live.addEventListener("longhand:status", ({ detail }) => { turn(detail); read(); look(); });
  addEventListener("scrollend", look);
  setInterval(() => { read(); look(); }, 1000);
  if (!ENDED.includes(known) && titles[known]) document.title = titles[known];
  if (notify) probe();
  offer(), read(), look();
})();
