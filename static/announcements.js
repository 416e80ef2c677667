/* Announces a live page's run status: in the tab's title, for screen readers, by notifications; and leads to the newest text.
The elements that it needs on a page are in docs/live-pages.md. Needs live.js before it. */
(() => {
  "use strict";
  const BETWEEN_SUMMARIES = 10_000, ENDED = ["succeeded", "incomplete", "failed", "cancelled"];
  const $ = (selector) => document.querySelector(selector), live = $("#live[data-live]");
  if (!live) return;
  const [announcer, below, notify] = ["[data-announce]", "[data-below]", "[data-notify]"].map($);
  const titleOf = (status) => JSON.parse($("[data-titles]")?.dataset.titles ?? "{}")[status], key = `notify:${live.dataset.status}`;
  let lastStatus;
  function onStatus(status) {
    if (status === lastStatus) return;
    const title = titleOf(status), isEnd = ENDED.includes(status), isNews = lastStatus && (isEnd || status === "waiting");
    lastStatus = status;
    if (title && (isNews || !isEnd)) document.title = title;
    if (isNews) announce(title), sendNotification(title);
    if (notify) updateNotifyButton();
  }

  const summary = () => live.querySelector("[data-summary]")?.textContent.trim() ?? "";
  let announced = summary(), announcedAt = Date.now();
  function announce(...news) {
    [announced, announcedAt] = [summary(), Date.now()];
    if (announcer) announcer.textContent = [...news, announced].filter(Boolean).join(". ");
  }

  // Notifications, for whoever asked for them. Where nobody was asked yet, a new one shows nothing; Chrome on Android throws.
  const succeeds = (work) => { try { return work(), true; } catch { return false; } };
  let canNotify = succeeds(() => Notification.permission !== "default" || new Notification(""));
  const isAsked = () => canNotify && Notification.permission === "granted" && localStorage.getItem(key) !== null;
  function sendNotification(title) {
    if (document.hidden && isAsked()) canNotify = succeeds(() => new Notification(title, { tag: `${key}:${lastStatus}` }));
  }
  function updateNotifyButton() {
    const isFocused = document.activeElement === notify;
    notify.hidden = !canNotify || Notification.permission === "denied" || ENDED.includes(lastStatus);
    notify.setAttribute("aria-pressed", String(isAsked()));
    if (notify.hidden && isFocused) notify.closest('[tabindex="-1"]')?.focus({ preventScroll: true });
  }
  notify?.addEventListener("click", async () => {
    if (isAsked()) localStorage.removeItem(key);
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(key, "yes");
    updateNotifyButton();
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

  function update() {
    if (summary() && summary() !== announced && Date.now() - announcedAt > BETWEEN_SUMMARIES) announce();
    if (below) below.hidden = !newest();
  }
  live.addEventListener("longhand:status", ({ detail }) => { onStatus(detail); update(); });
  addEventListener("scrollend", update);
  setInterval(update, 1000);
  onStatus(live.querySelector("[data-run-status]")?.dataset.runStatus), update();
})();
