// The list of sites to choose from: all of a page by one tick, and how many are ticked. A long deletion, which was
// confirmed already, goes on by itself. Without this script there are the ticks and the buttons.
(() => {
  "use strict";
  const GRACE_MS = 5000; // time to leave the rest paused
  const unfinished = document.querySelector("[data-go-on]");
  if (unfinished) {
    document.querySelector("[data-told]").textContent = "Deleting goes on by itself in 5 seconds.";
    window.setTimeout(() => unfinished.requestSubmit(), GRACE_MS);
  }
  const form = document.querySelector("[data-choose]");
  if (!form) {
    return;
  }
  const all = form.querySelector("[data-choose-all]");
  const told = form.querySelector("[data-chosen]");
  const everywhere = form.querySelector("[name=all]");
  const boxes = [...form.querySelectorAll("[name=site]")];

  function show() {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    if (everywhere && everywhere.checked) {
      told.textContent = "all chosen";
    } else {
      told.textContent = ticked ? `${ticked} chosen` : "";
    }
  }

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) {
      box.checked = all.checked;
    }
    show();
  });
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show); // going back, browsers restore ticks
  show();
})();
