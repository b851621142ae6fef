// A stream of server-sent events for an open page: connects again by itself, says so where it cannot, and rests while
// the page is hidden. window.djamonEvents.open({address, on, stale, after}) gives what the page needs of it: address()
// is where to read, on holds what to do by the name of an event, stale(isStale) tells whether what is shown may be
// old, and the note about it stands after the element.
(() => {
  "use strict";
  const SILENT_MS = 45_000; // three times what the server keeps quiet at most
  // Over HTTP/1.1 a browser has six connections to a server, for all of its pages: who is not looked at gives theirs back.
  const HIDDEN_MS = 10_000;
  const RELOAD_MS = 60_000;
  const STALE_MS = 60_000; // without news for so long, nothing may look as if it were known
  const LOOK_MS = 15_000;

  function noteAfter(element) {
    const note = document.createElement("p");
    note.className = "live-note";
    note.setAttribute("role", "status");
    element.after(note);
    return note;
  }

  function mayReload() {
    try {
      const last = Number(window.sessionStorage.getItem("djamon-reloaded"));
      window.sessionStorage.setItem("djamon-reloaded", String(Date.now()));
      return Date.now() - last > RELOAD_MS;
    } catch {
      return false;
    }
  }

  function open({ address, on, stale, after }) {
    const note = noteAfter(after);
    let source = null;
    let heard = 0;
    let tries = 0;
    let again = 0;
    let hiding = 0;
    let lostAt = 0;

    function lost(isLost) {
      lostAt = isLost ? lostAt || Date.now() : 0;
      const isStale = isLost && Date.now() - lostAt >= STALE_MS;
      const time = new Date(lostAt).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      const old = `No connection since ${time}: what is shown may be old. Trying again…`;
      const text = isStale ? old : isLost ? "Not live: trying again…" : "";
      if (note.textContent !== text) {
        note.textContent = text;
      }
      note.classList.toggle("live-note-old", isStale);
      stale(isStale);
    }

    function connect() {
      clearTimeout(again);
      if (source || document.hidden) {
        return;
      }
      heard = Date.now();
      source = new EventSource(address());
      source.addEventListener("beat", alive); // also at first, once what is shown is known to be how things are
      source.addEventListener("stale", () => lost(true));
      source.addEventListener("gone", () => {
        disconnect();
        window.location.reload();
      });
      for (const [name, act] of Object.entries(on)) {
        source.addEventListener(name, (event) => {
          alive();
          act(event);
        });
      }
      source.addEventListener("error", () => {
        lost(true);
        if (source?.readyState === EventSource.CLOSED) {
          retry(); // the server refused; where only the line broke, the browser tries again by itself
        }
      });
    }

    function alive() {
      heard = Date.now();
      tries = 0;
      lost(false);
    }

    function disconnect() {
      source?.close();
      source = null;
    }

    function retry() {
      disconnect();
      clearTimeout(again);
      again = setTimeout(ask, Math.min(60_000, 3000 * 2 ** tries));
      tries += 1;
    }

    // EventSource does not say why it was refused.
    async function ask() {
      const request = new AbortController();
      try {
        const { status } = await fetch(address(), { signal: request.signal });
        if ((status === 401 || status === 403) && mayReload()) {
          window.location.reload();
        } else if (status === 200) {
          connect();
        } else {
          retry();
        }
      } catch {
        retry();
      } finally {
        request.abort();
      }
    }

    function watch() {
      if (lostAt) {
        lost(true); // it may have become stale by now
      }
      // A line that died without a word, as after a sleep of the machine: the browser would wait for ever.
      if (source && Date.now() - heard > SILENT_MS) {
        lost(true);
        disconnect();
        connect();
      }
    }

    function shownOrHidden() {
      clearTimeout(hiding);
      if (document.hidden) {
        hiding = setTimeout(disconnect, HIDDEN_MS);
      } else {
        watch();
        connect();
      }
    }

    document.addEventListener("visibilitychange", shownOrHidden);
    window.addEventListener("pagehide", disconnect);
    window.addEventListener("pageshow", connect); // also where the browser kept the page while one was elsewhere
    setInterval(watch, LOOK_MS);
    connect();
    return { retry };
  }

  window.djamonEvents = { open };
})();
