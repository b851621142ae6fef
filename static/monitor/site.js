// The page of a site. In its calendar arrow keys go from day to day, so that it is one stop of the Tab key.
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

  function wire(calendar) {
    const days = daysOf(calendar);
    const all = days.flat().filter(Boolean);
    const newest = all.reduce((one, other) => (one.search > other.search ? one : other));
    aimAt(days, newest);
    calendar.addEventListener("focusin", (event) => aimAt(days, event.target));
    calendar.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) {
        return;
      }
      event.preventDefault();
      const next = neighbour(days, event.target, step);
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

  document.body.addEventListener("htmx:responseError", sayFailed);
  document.body.addEventListener("htmx:sendError", sayFailed);
  document.querySelectorAll("[data-calendar]").forEach(wire);
})();
