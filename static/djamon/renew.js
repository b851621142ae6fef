// What moves of an open page. When its stream says that something has changed, the page is asked for that part of it,
// and each [data-piece] in it is made to be as the new one of the same id: elements stay, and with them scroll, focus,
// what is open, typed or zoomed in to. While text is selected in a piece it waits, but for data-piece="always".
// window.djamonRenewal.start({root, events, stale, renewed, quietMs}) gives {soon, pause}: root names the part's address
// in data-live, events is that of the stream (none: the page does not move by itself), renewed(part, pieces) is called
// when all is done, and quietMs is after how long without a word the page asks all the same.
(() => {
  "use strict";
  const GAP_MS = 800;
  const SHARE = 5; // asking takes a fifth of the time at most, where the server is slow
  const AGAIN_MS = 5000; // after a failure
  const STALE_MS = 60_000; // failing for so long, nothing may look as if it were known
  const KEPT = new Set(["tabindex", "open"]); // a script or the reader has set them
  const byId = (id) => document.getElementById(id);

  // --- Making one element like another ---------------------------------------------------------------
  function morph(old, fresh) {
    if (old.isEqualNode(fresh)) {
      return;
    }
    if (old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
    } else if (old.nodeType === Node.ELEMENT_NODE) {
      morphAttributes(old, fresh);
      morphChildren(old, fresh);
    } else {
      old.data = fresh.data;
    }
  }

  function morphAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !KEPT.has(name)) {
        old.removeAttribute(name);
      }
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !(KEPT.has(name) && old.hasAttribute(name))) {
        old.setAttribute(name, value);
      }
    }
  }

  // Children with an id are known by it, others by their place.
  function morphChildren(old, fresh) {
    const wanted = new Set([...fresh.children].map(({ id }) => id));
    [...old.children].filter(({ id }) => id && !wanted.has(id)).forEach((child) => child.remove());
    const known = new Map([...old.children].filter(({ id }) => id).map((child) => [child.id, child]));
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = known.get(child.id);
      if (same) {
        at = pastText(at, same);
        if (same === at) {
          at = at.nextSibling;
        } else {
          old.insertBefore(same, at);
        }
        morph(same, child);
      } else if (at && !at.id && !child.id && at.nodeName === child.nodeName) {
        const next = at.nextSibling;
        morph(at, child);
        at = next;
      } else {
        old.insertBefore(child, at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // The spaces around what is gone; without them nothing that stays need be moved, which would cost it the focus.
  function pastText(at, same) {
    while (at && at !== same && at.nodeType === Node.TEXT_NODE) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
    return at;
  }

  function isSelected(element) {
    const selection = window.getSelection();
    return !selection.isCollapsed && element.contains(selection.anchorNode);
  }

  // A link that was made anew has the focus that the old one had.
  function keepingFocus(piece, change) {
    const focused = piece.contains(document.activeElement) ? document.activeElement : null;
    change();
    if (focused && !focused.isConnected) {
      const href = focused.getAttribute("href");
      [...piece.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
    }
  }

  function apply(root, part) {
    const page = part.querySelector("[data-page]")?.dataset.page;
    if (page !== undefined && page !== root.dataset.page) {
      window.location.reload(); // the address stands for another page now
      return [];
    }
    const renewed = [];
    for (const fresh of part.querySelectorAll("[data-piece]")) {
      const old = byId(fresh.id);
      if (old && !old.isEqualNode(fresh) && (fresh.dataset.piece === "always" || !isSelected(old))) {
        keepingFocus(old, () => morph(old, fresh));
        renewed.push(old);
      }
    }
    const shown = part.querySelectorAll("[data-when]");
    root.querySelectorAll("[data-when]").forEach((element, place) => {
      element.hidden = shown[place].hidden;
    });
    return renewed;
  }

  // --- Asking --------------------------------------------------------------------------------------
  async function fetched(address, mark) {
    const answer = await fetch(address, { headers: { "X-Part": mark || "1" }, redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect" || answer.status === 404) {
      window.location.reload(); // the login has ended, or what is shown is gone: the page says which
    }
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text(); // of our own server, which escapes what people and programs wrote
    return template.content;
  }

  function start({ root, events, stale, renewed = () => {}, quietMs = 0 }) {
    let shown = root.dataset.mark ?? ""; // the mark of what is shown
    let coming = shown; // that of what it shall show
    let wanted = false;
    let running = false;
    let paused = false;
    let timer = 0;
    let earliest = 0;
    let failingSince = 0;
    let isCut = false;

    function tellStale() {
      const failsLong = failingSince && Date.now() - failingSince > STALE_MS;
      stale(isCut || Boolean(failsLong));
    }

    function soon() {
      wanted = true;
      if (!running && !paused && !document.hidden) {
        clearTimeout(timer);
        timer = setTimeout(run, Math.max(0, earliest - Date.now()));
      }
    }

    function changed(event) {
      coming = event.lastEventId;
      const spread = Number(/"spread_ms": *([0-9]+)/.exec(event.data)?.[1] ?? 0);
      earliest = Math.max(earliest, Date.now() + Math.random() * spread);
      soon();
    }

    async function run() {
      const [begun, mark] = [Date.now(), coming];
      [running, wanted] = [true, false];
      try {
        const part = await fetched(root.dataset.live, mark);
        await renewed(part, apply(root, part));
        [shown, failingSince] = [mark, 0];
      } catch {
        failingSince ||= begun;
        wanted = Boolean(events);
      }
      running = false;
      earliest = begun + Math.max(failingSince ? AGAIN_MS : GAP_MS, SHARE * (Date.now() - begun));
      tellStale();
      if (wanted) {
        soon();
      }
    }

    function pause(isPaused) {
      paused = isPaused;
      if (!paused) {
        soon();
      }
    }

    if (events) {
      window.djamonEvents.open({
        address: () => (shown ? `${events}&mark=${encodeURIComponent(shown)}` : events),
        after: root,
        stale: (isStale) => {
          isCut = isStale;
          tellStale();
        },
        on: { changed },
      });
      document.addEventListener("visibilitychange", () => wanted && soon());
      if (quietMs) {
        setInterval(soon, quietMs);
      }
    }
    return { soon, pause };
  }

  window.djamonRenewal = { start };
})();
