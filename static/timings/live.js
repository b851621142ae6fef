// The pages of timings while they are open: static/djamon/renew.js renews what moves of them when something was stored.
(() => {
  "use strict";
  const root = document.getElementById("timings");
  const charts = window.djamonTimingCharts;
  const QUIET_MS = 10_000; // without calls the range moves on all the same

  function wirePause(renewal) {
    const controls = document.querySelector("[data-live-controls]");
    if (!controls) {
      return;
    }
    const [words, button] = [controls.querySelector("[data-live-words]"), controls.querySelector("button")];
    const moving = words.textContent;
    let paused = false;
    controls.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      words.textContent = paused ? "Paused." : moving;
      button.textContent = paused ? "Follow" : "Pause";
      renewal.pause(paused);
    });
  }

  charts?.renew().catch(() => {}); // the table has its figures
  if (root.dataset.events) {
    const renewal = window.djamonRenewal.start({
      root,
      events: root.dataset.events,
      quietMs: QUIET_MS,
      stale: (isStale) => root.classList.toggle("timings-stale", isStale),
      renewed: () => charts?.renew(),
    });
    wirePause(renewal);
  }
})();
