// Home while it is open. What changes comes by server-sent events, as pieces of HTML by element id; scroll, focus,
// what is typed, folded groups and the filter stay. Without this file home is read, folded and filtered all the same.
(() => {
  "use strict";
  const board = document.getElementById("board");
  const groups = document.getElementById("groups");
  if (!board || !groups) {
    return;
  }
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
  const byId = (id) => document.getElementById(id);

  function parsed(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim(); // of our own server, which escapes what people typed
    return template.content.firstElementChild;
  }

  // --- What changes --------------------------------------------------------------------------------
  function apply(change) {
    document.dispatchEvent(new Event("board:changing"));
    const focus = focusNow();
    const anchors = rowsInSight();
    make(change);
    Object.entries(change.pieces).forEach(([id, html]) => replace(byId(id), html));
    const moved = arrange(change.order);
    board.dataset.tag = change.tag;
    fold();
    filter.apply();
    focusAgain(focus);
    scrollBack(anchors, moved);
    tellInTitle();
    document.dispatchEvent(new Event("board:changed"));
    return Object.values(change.order).every((ids) => ids.every(byId));
  }

  // A tab in the background says it too.
  const title = document.title;

  function tellInTitle() {
    const down = groups.querySelectorAll('tr[data-state="down"]').length;
    document.title = down ? `(${down} down) ${title}` : title;
  }

  // What is not there yet stands last in its container until that is put in order; groups come before their rows.
  function make({ order, frames, pieces }) {
    for (const [container, ids] of Object.entries(order)) {
      for (const id of ids) {
        const html = frames[id] ?? pieces[id];
        if (html && !byId(id)) {
          byId(container)?.append(parsed(html));
        }
      }
    }
  }

  function replace(old, html) {
    if (!old) {
      return;
    }
    const fresh = parsed(html);
    fresh.hidden = old.hidden; // by the filter
    if (old.isEqualNode(fresh)) {
      return;
    }
    if (old.getAttribute("role") === "status" && fresh.getAttribute("role") === "status") {
      // A screen reader tells what changes inside such an element, not that there is another one.
      old.className = fresh.className;
      old.replaceChildren(...fresh.childNodes);
    } else {
      old.replaceWith(fresh);
    }
  }

  // Moves as few elements as it takes, and gives their ids.
  function arrange(order) {
    const moved = new Set();
    const surplus = [];
    for (const [name, ids] of Object.entries(order)) {
      const container = byId(name);
      if (!container) {
        continue;
      }
      const children = new Map([...container.children].map((child, place) => [child, place]));
      const wanted = ids.map(byId).filter((child) => child);
      const kept = staying(wanted.map((child) => children.get(child) ?? -1));
      for (let at = wanted.length - 1; at >= 0; at -= 1) {
        if (!kept.has(at)) {
          container.insertBefore(wanted[at], wanted[at + 1] ?? null);
          moved.add(wanted[at].id);
        }
        children.delete(wanted[at]);
      }
      surplus.push([container, children]);
    }
    // Last, because a row may have moved on to another group.
    for (const [container, children] of surplus) {
      for (const child of children.keys()) {
        if (child.parentNode === container) {
          child.remove();
        }
      }
    }
    return moved;
  }

  // The positions of a longest increasing run of places; -1 is no place.
  function staying(places) {
    const ends = [];
    const before = [];
    places.forEach((place, at) => {
      if (place < 0) {
        return;
      }
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        [low, high] = places[ends[middle]] < place ? [middle + 1, high] : [low, middle];
      }
      before[at] = ends[low - 1];
      ends[low] = at;
    });
    const kept = new Set();
    for (let at = ends.at(-1); at !== undefined; at = before[at]) {
      kept.add(at);
    }
    return kept;
  }

  // --- What stays ----------------------------------------------------------------------------------
  function focusNow() {
    const element = document.activeElement;
    const holder = element?.closest("#groups [id], #headline, #banners");
    if (!holder) {
      return null;
    }
    const place = [...holder.querySelectorAll(FOCUSABLE)].indexOf(element);
    return { element, id: holder.id, place, group: holder.closest("section")?.querySelector("summary")?.id };
  }

  function focusAgain(focus) {
    if (!focus || document.activeElement === focus.element) {
      return;
    }
    const holder = byId(focus.id);
    const same = focus.place < 0 ? holder : holder?.querySelectorAll(FOCUSABLE)[focus.place];
    const target = focus.element.isConnected ? focus.element : (same ?? byId(focus.group));
    target?.focus({ preventScroll: true });
  }

  function rowsInSight() {
    if (window.scrollY === 0) {
      return []; // the top of the page stays its top
    }
    const sights = [...groups.querySelectorAll("tr[id]")].map((row) => [row.id, row.getBoundingClientRect()]);
    return sights
      .filter(([, box]) => box.height > 0 && box.bottom > 0 && box.top < window.innerHeight)
      .map(([id, box]) => ({ id, top: box.top }));
  }

  function scrollBack(anchors, moved) {
    const anchor = anchors.find(({ id }) => !moved.has(id) && byId(id)?.getBoundingClientRect().height > 0);
    if (anchor) {
      const jump = byId(anchor.id).getBoundingClientRect().top - anchor.top;
      window.scrollBy({ top: jump, behavior: "instant" });
    }
  }

  // --- Folded groups, remembered on this device -------------------------------------------------------
  const FOLDED = "djamon-folded";

  function folded() {
    try {
      return new Set(JSON.parse(window.localStorage.getItem(FOLDED)) ?? []);
    } catch {
      return new Set(); // storage may be forbidden, or hold something else
    }
  }

  // Whoever searches wants to see what is found.
  function fold() {
    const closed = folded();
    for (const details of groups.querySelectorAll("section > details")) {
      const open = filter.isSet() || !closed.has(details.parentNode.id);
      if (details.open !== open) {
        details.open = open;
      }
    }
  }

  groups.addEventListener("click", (event) => {
    const details = event.target.closest("summary")?.parentNode;
    if (!details || event.target.closest("a, button")) {
      return;
    }
    const closed = folded();
    closed[details.open ? "add" : "delete"](details.parentNode.id); // it is about to be the other
    try {
      window.localStorage.setItem(FOLDED, JSON.stringify([...closed].slice(-1000)));
    } catch {
      // then it is remembered as long as the page is open
    }
  });

  // --- The filter ------------------------------------------------------------------------------------
  const filter = (() => {
    const form = byId("board-filter");
    const whole = Boolean(form?.hasAttribute("data-whole"));
    const values = () => ({ q: form?.elements.q.value.trim() ?? "", state: form?.elements.state.value ?? "" });
    const isSet = () => Object.values(values()).some((value) => value !== "");
    let said = null;
    let timer = 0;
    let request = null;
    let isTyped = false; // what is shown is not yet what the fields say

    function apply() {
      if (!whole) {
        return;
      }
      if (form.hidden) {
        form.hidden = !groups.querySelector("tr[data-state]"); // the first site has come
      }
      const { q, state } = values();
      const words = q.toLowerCase();
      const count = { found: 0, total: 0 };
      for (const section of groups.children) {
        const found = count.found;
        const named = section.querySelector("summary")?.dataset.search?.includes(words);
        section.querySelectorAll("tbody > tr").forEach((row) => {
          const site = row.dataset.state !== undefined;
          const fits = site && (named || row.dataset.search.includes(words)) && (!state || row.dataset.state === state);
          hide(row, isSet() && !fits);
          count.total += site;
          count.found += fits;
        });
        hide(section, isSet() && count.found === found);
      }
      tell(count);
    }

    function hide(element, hidden) {
      if (element.hidden !== hidden) {
        element.hidden = hidden;
      }
    }

    function tell({ found, total }) {
      const noun = total === 1 ? "site" : "sites";
      const words = found ? `${found.toLocaleString("en-GB")} of ${total.toLocaleString("en-GB")} ${noun}` : "No site matches";
      const text = isSet() ? words : "";
      if (text === said) {
        return; // a screen reader would tell it again
      }
      said = text;
      const result = byId("board-filter-result");
      result.textContent = text;
      if (text) {
        const link = document.createElement("a");
        link.href = window.location.pathname;
        link.textContent = "Show all sites";
        result.append(" ", link);
      }
    }

    function typed() {
      fold();
      apply();
      clearTimeout(timer);
      timer = setTimeout(mirror, 300); // browsers refuse what changes the address too often
    }

    function address() {
      const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim())).toString();
      return query ? `?${query}` : window.location.pathname;
    }

    function mirror() {
      window.history.replaceState(null, "", address());
    }

    // Not all sites are here: the server is asked for those that match.
    function soon(pauseMs = 300) {
      clearTimeout(timer);
      timer = setTimeout(ask, pauseMs);
    }

    function typedSome() {
      isTyped = true;
      soon();
    }

    async function ask() {
      request?.abort();
      request = new AbortController();
      const target = isTyped ? address() : window.location.href;
      try {
        const answer = await fetch(target, { signal: request.signal, cache: "no-store" });
        if (answer.redirected) {
          window.location.reload(); // the login has ended
        } else if (!answer.ok) {
          throw new Error(`status ${answer.status}`);
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (isTyped) {
          isTyped = false;
          window.history.replaceState(null, "", target);
        }
        show(page);
      } catch (error) {
        if (error.name !== "AbortError") {
          byId("board-filter-result").textContent = "Djamon does not answer: what is shown is not what you look for. Press Enter to try again.";
        }
      }
    }

    function start() {
      if (!form) {
        return;
      }
      if (!whole) {
        form.addEventListener("input", typedSome);
        form.addEventListener("submit", (event) => {
          event.preventDefault();
          typedSome();
        });
        return;
      }
      form.addEventListener("input", typed);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        typed();
      });
      byId("board-filter-result").addEventListener("click", (event) => {
        if (event.target.closest("a")) {
          event.preventDefault();
          form.elements.q.value = form.elements.state.value = "";
          typed();
          form.elements.q.focus();
        }
      });
      if (isSet()) {
        apply(); // the browser may have kept what was typed
      }
    }

    return { apply, isSet, soon, start };
  })();

  // --- A page in place of this one, as the server found it ---------------------------------------------
  function show(page) {
    document.dispatchEvent(new Event("board:changing"));
    const fresh = page.getElementById("board");
    const wasWhole = Boolean(board.dataset.tag);
    groups.replaceChildren(...page.getElementById("groups").childNodes);
    for (const id of ["headline", "banners"]) {
      replace(byId(id), page.getElementById(id).outerHTML);
    }
    for (const id of ["board-filter-result", "board-pages"]) {
      byId(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    board.dataset.tag = fresh.dataset.tag ?? "";
    fold();
    tellInTitle();
    document.dispatchEvent(new Event("board:changed"));
    if (Boolean(board.dataset.tag) !== wasWhole) {
      stream?.retry(); // the other one, from what is shown now
    }
  }

  // --- The stream ------------------------------------------------------------------------------------
  // Where the whole board is shown, it comes as pieces. A part of it, as a filter or the address names one, is asked for
  // again when anything on the board has changed.
  const REFILTER_MS = 1000;
  let stream = null;
  let mark = ""; // of the last change that a part was told of

  function address() {
    const { events, tag } = board.dataset;
    return tag ? `${events}?tag=${encodeURIComponent(tag)}` : `${events}?board=all&mark=${encodeURIComponent(mark)}`;
  }

  function watch() {
    stream = window.djamonEvents.open({
      address,
      after: board,
      stale: (isStale) => board.classList.toggle("board-stale", isStale),
      on: {
        board: (event) => {
          if (board.dataset.tag && !apply(JSON.parse(event.data))) {
            board.dataset.tag = ""; // something is missing here: ask for all of it
            stream.retry();
          }
        },
        changed: (event) => {
          mark = event.lastEventId;
          if (!board.dataset.tag) {
            filter.soon(REFILTER_MS + Math.random() * JSON.parse(event.data).spread_ms);
          }
        },
      },
    });
  }

  fold();
  filter.start();
  tellInTitle();
  if (board.dataset.events) {
    watch();
  }
})();
