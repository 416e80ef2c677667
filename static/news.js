/* Tells people how a live page's run stands: in the tab's title, for screen readers, by a notification; and where its newest
text is. What it finds on a page is in docs/live-pages.md. Needs live.js before it. */
(() => {
  "use strict";
  const BETWEEN_SUMMARIES = 10_000, ENDED = ["succeeded", "incomplete", "failed", "cancelled"];
  const $ = (selector) => document.querySelector(selector), live = $("#live[data-live]");
  if (!live) return;
  const [announcer, below, notify] = ["[data-announce]", "[data-below]", "[data-notify]"].map($);
  const titleOf = (status) => JSON.parse($("[data-titles]")?.dataset.titles ?? "{}")[status], key = `notify:${live.dataset.status}`;
  let known;
  function turn(status) {
    if (status === known) return;
    const title = titleOf(status), isEnd = ENDED.includes(status), isNews = known && (isEnd || status === "waiting");
    known = status;
    if (title && (isNews || !isEnd)) document.title = title;
    if (isNews) announce(title), send(title);
    if (notify) offer();
  }

  const summary = () => live.querySelector("[data-summary]")?.textContent.trim() ?? "";
  let said = summary(), saidAt = Date.now();
  function announce(...news) {
    [said, saidAt] = [summary(), Date.now()];
    if (announcer) announcer.textContent = [...news, said].filter(Boolean).join(". ");
  }

  // Notifications, for whoever asked for them. Where nobody was asked yet, a new one shows nothing; Chrome on Android throws.
  const tried = (work) => { try { return work(), true; } catch { return false; } };
  let able = tried(() => Notification.permission !== "default" || new Notification(""));
  const isAsked = () => able && Notification.permission === "granted" && localStorage.getItem(key) !== null;
  function send(title) {
    if (document.hidden && isAsked()) able = tried(() => new Notification(title, { tag: `${key}:${known}` }));
  }
  function offer() {
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
  below?.addEventListener("click", () => {
    const text = newest(), behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    if (text && !text.hasAttribute("tabindex")) text.tabIndex = -1;
    text?.focus({ preventScroll: true });
    text?.scrollIntoView({ block: "end", behavior });
  });

  function look() {
    if (summary() && summary() !== said && Date.now() - saidAt > BETWEEN_SUMMARIES) announce();
    if (below) below.hidden = !newest();
  }
  live.addEventListener("longhand:status", ({ detail }) => { turn(detail); look(); });
  addEventListener("scrollend", look);
  setInterval(look, 1000);
  turn(live.querySelector("[data-run-status]")?.dataset.runStatus), look();
})();
