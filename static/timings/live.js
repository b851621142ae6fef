// The pages of timings while they are open. The stream says that something new was stored; then the page asks for what
// moves of it, and renews what has changed: scroll, focus, what is typed, selected or zoomed in to stays as it is.
(() => {
  "use strict";
  const root = document.getElementById("timings");
  const charts = window.djamonTimingCharts;
  const GAP_MS = 800;
  const SHARE = 5; // asking takes a fifth of the time at most, where the server is slow
  const QUIET_MS = 10_000; // without calls the range moves on all the same
  const byId = (id) => document.getElementById(id);

  // --- Renewing ------------------------------------------------------------------------------------
  async function fetched() {
    const answer = await fetch(root.dataset.live, { headers: { "X-Part": "1" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 404) {
      window.location.reload(); // the login has ended, or the function is gone: the page says which
    }
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text(); // of our own server, which escapes what programs sent
    return template.content;
  }

  function apply(fresh) {
    for (const piece of fresh.querySelectorAll("[data-piece]")) {
      const old = byId(piece.id);
      if (old && !isSelected(old)) {
        renewPiece(old, piece);
      }
    }
    const shown = fresh.querySelectorAll("[data-when]");
    root.querySelectorAll("[data-when]").forEach((element, place) => {
      element.hidden = shown[place].hidden;
    });
  }

  function isSelected(element) {
    const selection = window.getSelection();
    return !selection.isCollapsed && element.contains(selection.anchorNode);
  }

  function renewPiece(old, fresh) {
    if (old.tagName === "TBODY") {
      renewRows(old, [...fresh.rows]);
    } else if (!old.isEqualNode(fresh)) {
      keepingFocus(old, () => old.replaceChildren(...fresh.childNodes));
    }
  }

  // Rows with an id are known by it, others by their place.
  function renewRows(body, rows) {
    const known = new Map([...body.rows].map((row, place) => [row.id || place, row]));
    rows.forEach((row, place) => {
      const old = known.get(row.id || place);
      known.delete(row.id || place);
      if (old && !old.isEqualNode(row)) {
        renewCells(old, row);
      }
      const wanted = old ?? row;
      if (body.rows[place] !== wanted) {
        body.insertBefore(wanted, body.rows[place] ?? null);
      }
    });
    known.forEach((row) => row.remove());
  }

  function renewCells(old, fresh) {
    if (old.cells.length !== fresh.cells.length) {
      old.replaceChildren(...fresh.childNodes);
      return;
    }
    [...fresh.cells].forEach((cell, place) => {
      if (!old.cells[place].isEqualNode(cell)) {
        old.cells[place].replaceWith(cell);
      }
    });
  }

  function keepingFocus(holder, change) {
    const focused = holder.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    change();
    if (focused !== null) {
      [...holder.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
    }
  }

  // --- When ----------------------------------------------------------------------------------------
  let wanted = false;
  let running = false;
  let paused = false;
  let timer = 0;
  let earliest = 0;

  function soon() {
    wanted = true;
    if (!running && !paused && !document.hidden) {
      clearTimeout(timer);
      timer = setTimeout(run, Math.max(0, earliest - Date.now()));
    }
  }

  async function run() {
    const begun = Date.now();
    [running, wanted] = [true, false];
    try {
      apply(await fetched());
      await charts?.renew();
    } catch {
      // the stream says that the server is away, and what comes next is asked for again
    }
    running = false;
    earliest = begun + Math.max(GAP_MS, SHARE * (Date.now() - begun));
    if (wanted) {
      soon();
    }
  }

  function wirePause() {
    const controls = document.querySelector("[data-live-controls]");
    if (!controls) {
      return;
    }
    const [words, button] = [controls.querySelector("[data-live-words]"), controls.querySelector("button")];
    const moving = words.textContent;
    controls.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      words.textContent = paused ? "Paused." : moving;
      button.textContent = paused ? "Follow" : "Pause";
      if (!paused) {
        soon();
      }
    });
  }

  charts?.renew().catch(() => {}); // the table has its figures
  if (root.dataset.events) {
    wirePause();
    window.djamonEvents.open({
      address: () => root.dataset.events,
      after: root,
      stale: (isStale) => root.classList.toggle("timings-stale", isStale),
      on: { changed: soon },
    });
    document.addEventListener("visibilitychange", () => wanted && soon());
    setInterval(soon, QUIET_MS);
  }
})();
