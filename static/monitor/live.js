// The pages of a site and of outages while they are open: static/djamon/renew.js keeps them as things are.
(() => {
  "use strict";
  const root = document.getElementById("live");

  async function renewed(part, pieces) {
    const detail = { part, pieces, waiting: [] };
    document.dispatchEvent(new CustomEvent("page:renewed", { detail }));
    await Promise.all(detail.waiting);
  }

  window.djamonRenewal.start({
    root,
    events: root.dataset.events,
    stale: (isStale) => root.classList.toggle("page-stale", isStale),
    renewed,
  });
})();
