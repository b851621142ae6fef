// The bars of a site's last results, one by one: by the pointer, or by the arrow keys while they have the focus.
(() => {
  "use strict";
  const groups = document.getElementById("groups");
  if (!groups) {
    return;
  }
  const PAUSE_MS = 80; // who only crosses the bars asks nothing
  const known = new WeakMap(); // results by their link: another row has another link
  let shown = null; // { link, row, back: results before the newest, text }
  let request = null;
  let timer = 0;
  let isChanging = false;

  const tip = document.createElement("div");
  tip.id = "bars-tip";
  tip.className = "bars-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  const spoken = document.createElement("p");
  spoken.className = "visually-hidden";
  spoken.setAttribute("aria-live", "polite");
  document.body.append(tip, spoken);

  const linkOf = (node) => node?.closest?.(".bars-link[data-recent]") ?? null;
  const rowOf = (link) => link.closest("tr")?.id;

  function show(link, back, { wait = 0, speaks = false } = {}) {
    if (shown?.link !== link) {
      hide();
      shown = { link, row: rowOf(link), back, speaks };
      link.setAttribute("aria-describedby", tip.id);
      timer = setTimeout(fill, wait);
    } else {
      shown.back = back;
      draw();
    }
  }

  function hide() {
    clearTimeout(timer);
    request?.abort();
    shown?.link.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
    spoken.textContent = "";
  }

  async function fill() {
    const { link } = shown;
    request?.abort();
    request = new AbortController();
    try {
      if (!known.has(link)) {
        known.set(link, await read(link.dataset.recent, request.signal));
      }
    } catch (error) {
      if (error.name !== "AbortError" && shown?.link === link) {
        say("The results cannot be read now.", "");
      }
      return;
    }
    if (shown?.link === link) {
      draw();
    }
  }

  async function read(address, signal) {
    const answer = await fetch(address, { signal });
    if (!answer.ok || answer.redirected) {
      throw new Error(`${address}: ${answer.status}`);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text(); // of our own server, which escapes
    return [...template.content.querySelectorAll("li")].map((item) => [item.textContent, item.className]);
  }

  function draw() {
    const results = known.get(shown.link);
    if (!results) {
      return; // it is on its way
    }
    shown.back = Math.max(0, Math.min(shown.back, results.length - 1));
    const [text, style] = results[results.length - 1 - shown.back] ?? ["No results", ""];
    say(text, style);
  }

  function say(text, style) {
    tip.textContent = text;
    tip.className = `bars-tip ${style}`;
    tip.hidden = false;
    if (shown.speaks) {
      spoken.textContent = text;
    }
    place();
  }

  // Bars stand in slots of the same width, the newest in the last one.
  function scale(link) {
    const picture = link.querySelector("svg");
    const slots = Math.round((picture.viewBox.baseVal.width + 2) / 6);
    return { matrix: picture.getScreenCTM(), slots };
  }

  function backAt(link, clientX) {
    const { matrix, slots } = scale(link);
    return slots - 1 - Math.floor((clientX - matrix.e) / matrix.a / 6);
  }

  function place() {
    const { matrix, slots } = scale(shown.link);
    const box = shown.link.getBoundingClientRect();
    const middle = matrix.e + ((slots - 1 - shown.back) * 6 + 2) * matrix.a;
    const { width, height } = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - width - 8;
    const below = box.bottom + height < window.innerHeight;
    tip.style.left = `${Math.max(8, Math.min(room, middle - width / 2))}px`;
    tip.style.top = `${below ? box.bottom : box.top - height}px`;
  }

  // --- The pointer ---------------------------------------------------------------------------------
  function pointed(event) {
    const link = linkOf(event.target);
    if (link && event.pointerType !== "touch") {
      show(link, backAt(link, event.clientX), { wait: PAUSE_MS });
    }
  }

  function left(event) {
    const to = event.relatedTarget;
    if (!shown || isChanging || to === tip || linkOf(to) === shown.link) {
      return;
    }
    if (document.activeElement !== shown.link) {
      hide();
    }
  }

  groups.addEventListener("pointerover", pointed);
  groups.addEventListener("pointermove", pointed);
  groups.addEventListener("pointerout", left);
  tip.addEventListener("pointerleave", left);

  // --- The keyboard --------------------------------------------------------------------------------
  groups.addEventListener("focusin", (event) => {
    const link = linkOf(event.target);
    if (link && !isChanging && link.matches(":focus-visible")) {
      hide();
      show(link, 0, { speaks: true });
    }
  });
  groups.addEventListener("focusout", (event) => {
    if (!isChanging && linkOf(event.target) === shown?.link) {
      hide();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown) {
      hide();
      return;
    }
    const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    const link = linkOf(document.activeElement);
    if (step && link && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      show(link, shown?.link === link ? shown.back + step : 0, { speaks: true });
    }
  });

  // --- The page moves or changes -------------------------------------------------------------------
  window.addEventListener("scroll", () => shown && !tip.hidden && place(), { passive: true });
  document.addEventListener("board:changing", () => {
    isChanging = true;
  });
  document.addEventListener("board:changed", () => {
    isChanging = false;
    if (!shown) {
      return;
    }
    if (!shown.link.isConnected) {
      const link = document.getElementById(shown.row)?.querySelector(".bars-link[data-recent]");
      if (!link) {
        hide();
        return;
      }
      // Its results have changed too; until they are here, what was said stands.
      shown.link = link;
      link.setAttribute("aria-describedby", tip.id);
      fill();
    }
    place();
  });
})();
