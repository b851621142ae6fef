// The two charts of a function's page: how long its calls take, and how many they are. Their data are the API's summary
// of the range that the page shows; static/djamon/charts.js draws them. window.djamonTimingCharts.renew() asks anew.
(() => {
  "use strict";
  const BUCKETS = 200;
  const LINES = [
    { key: "p50", name: "p50", look: "area", colour: 2 },
    { key: "p95", name: "p95", look: "line", colour: 4 },
    { key: "p99", name: "p99", look: "line", colour: 1 },
    { key: "mean", name: "Mean", look: "optional", colour: 3 },
    { key: "max", name: "Slowest", look: "optional", colour: 5 },
  ];
  const UNITS = [
    { unit: "s", factor: 1, least: 10 },
    { unit: "ms", factor: 1e3, least: 1e-3 },
    { unit: "µs", factor: 1e6, least: 0 },
  ];
  const STEPS = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

  const iso = (second) => new Date(second * 1000).toISOString();

  // Buckets without calls are not told: here they are zeros.
  function everyBucket({ buckets, bucket_s: size, start_time: start, end_time: end }) {
    const known = new Map(buckets.map((bucket) => [bucket.start, bucket]));
    const shift = buckets[0].start % size;
    const all = [];
    for (let at = start - ((((start - shift) % size) + size) % size); at <= end; at += size) {
      all.push({ at: iso(Math.max(at, start)), bucket: known.get(at) ?? null });
    }
    return all;
  }

  function inWords(seconds) {
    const [name, size] = STEPS.find(([, length]) => seconds % length === 0);
    const count = seconds / size;
    return count === 1 ? name : `${count} ${name}s`;
  }

  function common(told, figure, zone) {
    const { chartSubject, chartRange } = figure.dataset;
    return {
      title: `${chartSubject}, ${chartRange}`,
      summary: document.getElementById("timings-sentence").textContent,
      zone,
      from: iso(told.start_time),
      to: iso(told.end_time + 1),
      bucket_s: told.bucket_s,
      marks: [],
      areas: [],
    };
  }

  // Between buckets with calls there is a line unless they are far apart: where calls are few, dots alone say little.
  function timesOf(told) {
    const greatest = Math.max(...told.buckets.map(({ p95 }) => p95));
    const { unit, factor } = UNITS.find(({ least }) => greatest >= least);
    const scaled = (seconds) => Number((seconds * factor).toPrecision(4));
    const lines = LINES.map((line) => ({ ...line, unit, values: told.buckets.map((bucket) => scaled(bucket[line.key])) }));
    const calls = { key: "count", name: "Calls", unit: "", look: "told", colour: 5, values: told.buckets.map(({ count }) => count) };
    return { at: told.buckets.map(({ start }) => iso(Math.max(start, told.start_time))), lines: [...lines, calls] };
  }

  function callsOf(told) {
    const all = everyBucket(told);
    const name = `Calls in each ${inWords(told.bucket_s)}`;
    const values = all.map(({ bucket }) => bucket?.count ?? 0);
    return { at: all.map(({ at }) => at), lines: [{ key: "count", name, unit: "", look: "steps", colour: 3, values }], whole: true };
  }

  const WHAT = { times: timesOf, calls: callsOf };

  async function renew() {
    const charts = document.getElementById("timings-charts");
    const told = await window.djamonCharts.loadData(`${charts.dataset.summary}&buckets=${BUCKETS}`);
    if (!told.buckets.length) {
      return;
    }
    for (const figure of charts.querySelectorAll("figure")) {
      const drawn = WHAT[figure.dataset.timingsChart](told);
      window.djamonCharts.show(figure, { ...common(told, figure, charts.dataset.zone), ...drawn });
    }
  }

  window.djamonTimingCharts = { renew };
})();
