// The page of a site. In its calendar arrow keys go from day to day, so that it is one stop of the Tab key. Its chart
// is drawn anew while the page is open, as often as one would see it, and at once where the state is another.
(() => {
  "use strict";
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  function daysOf(calendar) {
    return Array.from(calendar.tBodies[0].rows, (row) =>
      Array.from(row.querySelectorAll("td"), (cell) => cell.querySelector("a")),
    );
  }

  function aimAt(days, day) {
    for (const other of days.flat()) {
      if (other) {
        other.tabIndex = other === day ? 0 : -1;
      }
    }
  }

  // From the last day of a column on to the first of the next: time goes on there.
  function neighbour(days, day, [down, right]) {
    const inTime = days[0].flatMap((_, week) => days.map((row) => row[week])).filter(Boolean);
    return inTime[inTime.indexOf(day) + down + right * days.length];
  }

  function aim(calendar) {
    const days = daysOf(calendar);
    const all = days.flat().filter(Boolean);
    const newest = all.reduce((one, other) => (one.search > other.search ? one : other));
    aimAt(days, all.find((day) => day === document.activeElement) ?? newest);
  }

  const wired = new WeakSet();

  function wire(calendar) {
    wired.add(calendar);
    aim(calendar);
    calendar.addEventListener("focusin", (event) => aimAt(daysOf(calendar), event.target));
    calendar.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) {
        return;
      }
      event.preventDefault();
      const next = neighbour(daysOf(calendar), event.target, step);
      if (next) {
        next.focus();
      }
    });
  }

  // htmx shows nothing where no page comes back.
  function sayFailed(event) {
    if (event.target.closest("[data-check]")) {
      document.getElementById("check").textContent =
        "The check brought no answer from Djamon itself. Load the page again, then check again.";
    }
  }

  // --- While the page is open ------------------------------------------------------------------------
  const figure = document.getElementById("times-chart");
  const state = document.getElementById("site-state");
  let drawnAt = Date.now();
  let drawnState = state.className;

  function isDue() {
    const every = Number(figure.dataset.chartEvery ?? 0) * 1000;
    const isOther = drawnState !== state.className || !figure.classList.contains("chart-ready");
    return every > 0 && (isOther || Date.now() - drawnAt >= every);
  }

  // Without a result there is no chart yet; one that is still to come into view draws what is known then.
  async function redraw(part) {
    const isNew = !figure.dataset.chart;
    Object.assign(figure.dataset, part.getElementById("times-chart").dataset);
    if (!figure.dataset.chart || !(isNew || figure.classList.contains("chart-ready")) || !isDue()) {
      return;
    }
    [drawnAt, drawnState] = [Date.now(), state.className];
    await window.djamonCharts.show(figure, window.djamonCharts.loadData(figure.dataset.chart));
  }

  document.addEventListener("page:renewed", ({ detail }) => {
    if (detail.pieces.some(({ id }) => id === "site-uptime")) {
      const calendars = document.querySelectorAll("[data-calendar]");
      calendars.forEach((calendar) => (wired.has(calendar) ? aim(calendar) : wire(calendar)));
    }
    detail.waiting.push(redraw(detail.part));
  });

  document.body.addEventListener("htmx:responseError", sayFailed);
  document.body.addEventListener("htmx:sendError", sayFailed);
  document.querySelectorAll("[data-calendar]").forEach(wire);
})();
