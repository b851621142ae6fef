// Light, dark or as the system says; remembered on this device. Loaded in <head> so that no page flashes.
(() => {
  "use strict";
  const KEY = "djamon-theme";
  const MODES = ["auto", "light", "dark"];
  const root = document.documentElement;
  const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
  let mode = "auto";

  function remembered() {
    try {
      const word = window.localStorage.getItem(KEY);
      return MODES.includes(word) ? word : "auto";
    } catch {
      return "auto"; // storage may be forbidden; the page works without
    }
  }

  function remember(word) {
    try {
      window.localStorage.setItem(KEY, word);
    } catch {
      // as above
    }
  }

  function apply() {
    const dark = mode === "dark" || (mode === "auto" && systemIsDark.matches);
    root.dataset.bsTheme = dark ? "dark" : "light";
    for (const label of document.querySelectorAll("[data-theme-label]")) {
      label.textContent = mode;
    }
  }

  function wire() {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        mode = MODES[(MODES.indexOf(mode) + 1) % MODES.length];
        remember(mode);
        apply();
      });
    }
    apply();
  }

  root.classList.add("js");
  mode = remembered();
  apply();
  systemIsDark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", wire);
})();
