// Charts over ECharts, which is loaded only where one comes into view. A <figure data-chart="URL"> names its data:
// {title, summary, zone, from, to, bucket_s, at: [moment], lines: [{key, name, unit, look, colour, values}],
//  marks: [{at, text}], areas: [{from, to, text}], whole: true of things that are counted}. What is drawn here stands in
// a table beside it, from the server.
// A page whose charts move gives the data itself, as often as it likes: window.djamonCharts.show(figure, data).
// Charts of one data-chart-group are zoomed together; those with data-chart-follows have no tools for it of their own.
// data-chart-subject and data-chart-range are the two halves of the title: a picture of a part names its own range.
(() => {
  "use strict";
  const COLOURS = 6; // --chart-1 … --chart-6 of charts.css
  const EXPORT_SIZE = { width: 1200, height: 480 };
  const DOWN_OPACITY = 0.22;
  const MINUTE = 60_000;
  const DAY = 86_400_000;
  let library = null;
  const waiting = new WeakMap(); // figure → data that it is to be drawn with
  const drawn = new WeakMap(); // figure → what draws it anew

  // --- Getting ----------------------------------------------------------------------------------
  function loadLibrary(url) {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = url;
      script.addEventListener("load", () => resolve(window.echarts));
      script.addEventListener("error", () => reject(new Error("the drawing library did not load")));
      document.head.append(script);
    });
    return library;
  }

  async function loadData(url) {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (response.status === 401) {
      throw new Error("your login has ended; load this page again");
    }
    const data = await response.json();
    if (!response.ok) {
      throw new Error(data.error);
    }
    return data;
  }

  // --- Words ------------------------------------------------------------------------------------
  function clock(zone) {
    const options = (fields) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...fields });
    const time = options({ hour: "2-digit", minute: "2-digit" });
    const seconds = options({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const day = options({ day: "numeric", month: "short" });
    return {
      moment: (at) => `${day.format(at)}, ${seconds.format(at)}`,
      minute: (at) => `${day.format(at)}, ${time.format(at)}`,
      span: (from, to) => {
        const end = day.format(from) === day.format(to) ? "" : `${day.format(to)}, `;
        return `${day.format(from)}, ${time.format(from)} – ${end}${time.format(to)}`;
      },
      stamp: (at) => new Date(at + offsetOf(zone, at)).toISOString().slice(0, 16).replace("T", " "),
    };
  }

  // ECharts cuts days at midnights of the browser or of UTC, not of the zone that the pages are in: so it draws in
  // UTC, moved by that zone's offset at the end of the range.
  function offsetOf(zone, at) {
    const fields = { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", fields).formatToParts(at).map((part) => [part.type, Number(part.value)]));
    return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - Math.floor(at / 1000) * 1000;
  }

  function placeOf(data) {
    const shift = offsetOf(data.zone, Date.parse(data.to));
    return (moment) => Date.parse(moment) + shift;
  }

  // Midnight shows its day, any other tick its time: whatever part is zoomed in to, no two labels are the same.
  // What comes is a place, so that its UTC is the zone's time.
  function tickLabel() {
    const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
    const time = (place) => new Date(place).toISOString().slice(11, place % MINUTE === 0 ? 16 : 19);
    return (place) => (place % DAY === 0 ? day.format(place) : time(place));
  }

  function quantity(value, unit) {
    const figure = value >= 10 || Number.isInteger(value) ? Math.round(value).toLocaleString("en-GB") : Number(value.toPrecision(2));
    return unit ? `${figure} ${unit}` : `${figure}`;
  }

  // --- Data as ECharts wants it -------------------------------------------------------------------
  function rowsOf(data, place) {
    const at = data.at.map(place);
    const [from, to] = [place(data.from), place(data.to)];
    const steps = at.slice(1).map((moment, index) => moment - at[index]).sort((a, b) => a - b);
    // Where nothing was asked for long no line is drawn; three usual steps are long.
    const long = 3 * (steps[Math.floor(steps.length / 2)] ?? Infinity);
    return { at, from, to, isGap: (index) => index > 0 && at[index] - at[index - 1] > long };
  }

  function pointsOf(line, rows) {
    const points = [];
    line.values.forEach((value, index) => {
      if (rows.isGap(index)) {
        points.push([rows.at[index - 1] + 1, null]);
      }
      const before = index > 0 && !rows.isGap(index) ? line.values[index - 1] : null;
      const after = index + 1 < line.values.length && !rows.isGap(index + 1) ? line.values[index + 1] : null;
      const alone = before === null && after === null; // no line leads to it: it needs a dot
      const dotted = line.look !== "steps" && (alone || line.values.length <= 60);
      points.push({ value: [rows.at[index], value], symbol: dotted ? "circle" : "none" });
    });
    if (line.look === "steps") {
      return [...points, { value: [rows.to, line.values.at(-1)], symbol: "none" }]; // the last step has a length, too
    }
    return overRange(points, rows);
  }

  // The slider stretches what it shows of the data over its whole width, so they have to reach from end to end.
  function overRange(points, rows) {
    const before = rows.at[0] > rows.from ? [[rows.from, null]] : [];
    const after = rows.at.at(-1) < rows.to ? [[rows.to, null]] : [];
    return [...before, ...points, ...after];
  }

  function drawnLines(data) {
    return data.lines.filter((line) => line.look !== "told");
  }

  function lineSeries(line, rows, look) {
    const colour = look.colours[line.colour - 1];
    const filled = ["stacked", "area", "steps"].includes(line.look);
    return {
      type: "line",
      name: line.name,
      data: pointsOf(line, rows),
      color: colour,
      lineStyle: { width: 1.5, type: line.look === "optional" ? "dashed" : "solid" },
      symbolSize: 4,
      connectNulls: false,
      emphasis: { disabled: true },
      ...(filled && { areaStyle: { opacity: 0.45 } }),
      ...(line.look === "stacked" && { stack: "lines" }),
      ...(line.look === "steps" && { step: "end" }),
    };
  }

  function markSeries(data, place, look) {
    return {
      type: "scatter",
      name: "Failed",
      data: data.marks.map((mark) => [place(mark.at), 0]),
      symbol: "triangle",
      symbolSize: 11,
      symbolOffset: [0, "-50%"],
      color: look.down,
      z: 5,
    };
  }

  function areaSeries(data, place, look) {
    const [from, to] = [place(data.from), place(data.to)];
    const within = (moment) => Math.min(Math.max(moment === null ? to : place(moment), from), to);
    return {
      type: "line",
      name: "Down",
      data: [],
      color: look.down,
      markArea: {
        silent: true,
        itemStyle: { color: look.down, opacity: DOWN_OPACITY },
        data: data.areas.map((area) => [{ xAxis: within(area.from) }, { xAxis: within(area.to) }]),
      },
    };
  }

  function tellAt(data, rows, words) {
    const indexAt = new Map(rows.at.map((at, index) => [at, index]));
    const marks = new Map(data.marks.map((mark) => [Date.parse(mark.at), mark.text]));
    return (place) => {
      const index = indexAt.get(place) ?? (place === rows.to ? rows.at.length - 1 : undefined);
      if (index === undefined) {
        return "";
      }
      const at = Date.parse(data.at[index]);
      const told = [data.bucket_s === null ? words.moment(at) : words.span(at, at + data.bucket_s * 1000)];
      for (const line of data.lines) {
        if (line.values[index] !== null) {
          told.push(`${line.name}: ${quantity(line.values[index], line.unit)}`);
        }
      }
      if (marks.has(at)) {
        told.push(marks.get(at));
      }
      for (const area of data.areas) {
        if (Date.parse(area.from) <= at && (area.to === null || at < Date.parse(area.to))) {
          told.push(`Down: ${area.text}`);
        }
      }
      return told.join("\n");
    };
  }

  function optionOf(data, look) {
    const place = placeOf(data);
    const rows = rowsOf(data, place);
    const words = clock(data.zone);
    const tell = tellAt(data, rows, words);
    const [from, to] = [place(data.from), place(data.to)];
    const text = { color: look.text, fontFamily: look.font };
    const series = drawnLines(data).map((line) => lineSeries(line, rows, look));
    return {
      animation: false,
      useUTC: true,
      aria: { enabled: true, label: { description: `${data.title}. ${data.summary}` } },
      textStyle: { fontFamily: look.font },
      grid: { left: 8, right: 16, top: 28, bottom: 56, containLabel: true },
      legend: { show: false, selected: selectionOf(data) },
      tooltip: {
        trigger: "axis",
        renderMode: "richText", // HTML would carry style attributes, which our content security policy refuses
        confine: true,
        backgroundColor: look.surface,
        borderColor: look.border,
        textStyle: text,
        formatter: (points) => tell([points].flat()[0].value[0]),
      },
      xAxis: {
        type: "time",
        min: from,
        max: to,
        axisLine: { lineStyle: { color: look.border } },
        axisLabel: { ...text, hideOverlap: true, formatter: tickLabel() },
      },
      yAxis: {
        type: "value",
        min: 0,
        minInterval: data.whole ? 1 : 0,
        name: data.lines[0]?.unit ?? "",
        nameTextStyle: { ...text, align: "right" },
        axisLabel: { ...text, formatter: (value) => value.toLocaleString("en-GB") },
        splitLine: { lineStyle: { color: look.grid } },
      },
      dataZoom: [
        { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", preventDefaultMouseMove: false },
        {
          type: "slider",
          filterMode: "none",
          height: 22,
          bottom: 8,
          showDetail: false,
          brushSelect: false,
          textStyle: text,
          borderColor: look.border,
          fillerColor: look.filler,
          dataBackground: { lineStyle: { color: look.border }, areaStyle: { color: look.border } },
          selectedDataBackground: { lineStyle: { color: look.text }, areaStyle: { color: look.border } },
          handleStyle: { color: look.surface, borderColor: look.text },
          moveHandleStyle: { color: look.border },
        },
      ],
      series: [...series, markSeries(data, place, look), areaSeries(data, place, look)],
    };
  }

  function selectionOf(data) {
    return Object.fromEntries(drawnLines(data).map((line) => [line.name, line.look !== "optional"]));
  }

  function lookOf(figure) {
    const styles = window.getComputedStyle(figure);
    const read = (name) => styles.getPropertyValue(name).trim();
    return {
      colours: Array.from({ length: COLOURS }, (_, index) => read(`--chart-${index + 1}`)),
      down: read("--chart-down"),
      grid: read("--chart-grid"),
      filler: read("--chart-filler"),
      text: read("--bs-body-color"),
      border: read("--bs-secondary-color"),
      surface: read("--bs-body-bg"),
      font: styles.fontFamily.replaceAll('"', "'"), // ECharts puts it into the SVG as it is, in double quotes
    };
  }

  // --- Around the drawing ---------------------------------------------------------------------------
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  function button(text, label, act) {
    const made = element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", "aria-label": label, title: label }, text);
    made.addEventListener("click", act);
    return made;
  }

  function keyOf(name, swatch, isOn, chart) {
    const box = element("input", { type: "checkbox", class: "form-check-input" });
    box.checked = isOn;
    box.addEventListener("change", () => chart.dispatchAction({ type: box.checked ? "legendSelect" : "legendUnSelect", name }));
    return element("label", { class: "chart-key" }, box, element("span", { class: `chart-swatch ${swatch}`, "aria-hidden": "true" }), name);
  }

  function keysOf(data, chart) {
    const selected = selectionOf(data);
    const keys = drawnLines(data).map((line) => keyOf(line.name, `chart-swatch-${line.colour}`, selected[line.name], chart));
    if (data.marks.length) {
      keys.push(keyOf("Failed", "chart-swatch-failed", true, chart));
    }
    if (data.areas.length) {
      keys.push(keyOf("Down", "chart-swatch-down", true, chart));
    }
    return element("div", { class: "chart-keys", role: "group", "aria-label": "Lines of the chart" }, ...keys);
  }

  function zoomOf(chart) {
    const { start, end } = chart.getOption().dataZoom[0];
    return { start, end, size: end - start };
  }

  // What is to be seen of the range: moments, and whether that is all of it.
  function shownOf(data, chart) {
    const { start, end, size } = zoomOf(chart);
    const [from, to] = [Date.parse(data.from), Date.parse(data.to)];
    // To the second: a zoom that is kept goes through percents, and may come back a hair earlier.
    const moment = (percent) => Math.round((from + ((to - from) * percent) / 100) / 1000) * 1000;
    return { from: moment(start), to: moment(end), isWhole: size > 99 };
  }

  function zoomBy(chart, factor, shift) {
    const { start, end, size } = zoomOf(chart);
    const wanted = Math.min(100, size * factor);
    const middle = (start + end) / 2 + shift * size;
    const left = Math.min(Math.max(middle - wanted / 2, 0), 100 - wanted);
    chart.dispatchAction({ type: "dataZoom", start: left, end: left + wanted });
  }

  function zoomButtons(chart) {
    return element(
      "div",
      { class: "btn-group", role: "group", "aria-label": "Zoom" },
      button("+", "Zoom in", () => zoomBy(chart, 0.5, 0)),
      button("−", "Zoom out", () => zoomBy(chart, 2, 0)),
      button("←", "Earlier", () => zoomBy(chart, 1, -0.5)),
      button("→", "Later", () => zoomBy(chart, 1, 0.5)),
      button("Whole range", "Show the whole range", () => chart.dispatchAction({ type: "dataZoom", start: 0, end: 100 })),
    );
  }

  // What is zoomed in to may have more points than were sent: a link loads them.
  function detailLink(shown, chart) {
    const words = clock(shown.data.zone);
    const said = element("span", { class: "chart-shown", role: "status" });
    const link = element("a", { class: "btn btn-sm btn-outline-secondary", href: "#" }, "Show this part in detail");
    link.hidden = true;
    chart.on("datazoom", () => {
      const { from, to, isWhole } = shownOf(shown.data, chart);
      link.hidden = isWhole || shown.data.bucket_s === null;
      link.href = `?${queryOf(from, to)}${window.location.hash}`;
      said.textContent = `Shown: ${words.minute(from)} to ${words.minute(to)}`;
    });
    return element("span", { class: "chart-part" }, link, said);
  }

  // What else the address says stays.
  function queryOf(from, to) {
    const query = new URLSearchParams(window.location.search);
    for (const name of ["range", "page", "before", "after"]) {
      query.delete(name);
    }
    query.set("from", new Date(from).toISOString());
    query.set("to", new Date(to).toISOString());
    return query;
  }

  // --- Export -------------------------------------------------------------------------------------
  function download(blob, name) {
    const link = element("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  // A part has a title and a file name of its own; the summary's figures are those of the whole.
  function captionOf(figure, data, chart) {
    const { from, to, isWhole } = shownOf(data, chart);
    const { chartName = "chart", chartSubject: subject, chartRange: range } = figure.dataset;
    if (isWhole) {
      return { title: data.title, summary: data.summary, file: `${chartName}-${data.from.slice(0, 10)}-${data.to.slice(0, 10)}` };
    }
    const stamps = [from, to].map(clock(data.zone).stamp);
    return {
      title: `${subject ?? data.title}, ${stamps.join(" to ")}`,
      summary: `Part of: ${range ?? data.title}`,
      file: [chartName, ...stamps.map((stamp) => stamp.replace(" ", "T").replace(":", ""))].join("-"),
    };
  }

  // Each is shown as it is drawn, and only what is: nothing in a picture can be switched on.
  function legendOf(data, look, selected) {
    const lines = drawnLines(data).map((line) => (line.look === "optional" ? { name: line.name } : { name: line.name, icon: "roundRect" }));
    const failed = data.marks.length ? [{ name: "Failed" }] : [];
    const down = data.areas.length ? [{ name: "Down", icon: "rect", itemStyle: { color: look.down, opacity: DOWN_OPACITY } }] : [];
    return [...lines, ...failed, ...down].filter((entry) => selected[entry.name] !== false);
  }

  function exportOption(data, look, chart) {
    const option = optionOf(data, look);
    const { start, end } = zoomOf(chart);
    const text = { color: look.text, fontFamily: look.font };
    const selected = chart.getOption().legend[0].selected;
    return {
      ...option,
      backgroundColor: look.surface,
      title: { text: data.title, subtext: data.summary, left: 8, textStyle: { ...text, fontSize: 16 }, subtextStyle: text },
      legend: { show: true, bottom: 4, data: legendOf(data, look, selected), selected, textStyle: text },
      grid: { ...option.grid, top: 84, bottom: 36 },
      dataZoom: [{ type: "inside", filterMode: "none", start, end }],
    };
  }

  function exportButtons(figure, shown, chart, echarts) {
    const asPng = () => {
      const { data } = shown;
      const caption = captionOf(figure, data, chart);
      const drawn = echarts.init(document.createElement("div"), null, { renderer: "canvas", devicePixelRatio: 2, ...EXPORT_SIZE });
      drawn.setOption(exportOption({ ...data, ...caption }, lookOf(figure), chart));
      drawn.renderToCanvas({ pixelRatio: 2 }).toBlob((blob) => download(blob, `${caption.file}.png`), "image/png");
      drawn.dispose();
    };
    const asSvg = () => {
      const { data } = shown;
      const caption = captionOf(figure, data, chart);
      const drawn = echarts.init(null, null, { renderer: "svg", ssr: true, ...EXPORT_SIZE });
      drawn.setOption(exportOption({ ...data, ...caption }, lookOf(figure), chart));
      download(new Blob([drawn.renderToSVGString()], { type: "image/svg+xml" }), `${caption.file}.svg`);
      drawn.dispose();
    };
    return element(
      "div",
      { class: "btn-group", role: "group", "aria-label": "Save the chart" },
      button("PNG", "Save as a PNG picture", asPng),
      button("SVG", "Save as an SVG picture", asSvg),
    );
  }

  // ECharts keeps the wheel to itself even where it does not zoom, and the page could not be scrolled over it.
  function passWheel(event) {
    if (!event.ctrlKey) {
      event.stopPropagation();
    }
  }

  // --- A figure -------------------------------------------------------------------------------------
  function build(figure, data, echarts) {
    const drawing = element("div", { class: "chart-drawing", role: "img" });
    const tools = element("div", { class: "chart-tools" });
    figure.prepend(drawing, tools);
    for (const kind of ["wheel", "mousewheel"]) {
      drawing.addEventListener(kind, passWheel, { capture: true });
    }
    const chart = echarts.init(drawing, null, { renderer: "canvas" });
    const shown = { data };
    const draw = () => chart.setOption(partOf(figure, optionOf(shown.data, lookOf(figure))));
    draw();
    if (!("chartFollows" in figure.dataset)) {
      tools.append(zoomButtons(chart), detailLink(shown, chart));
    }
    tools.append(exportButtons(figure, shown, chart, echarts));
    if (figure.dataset.chartGroup) {
      chart.group = figure.dataset.chartGroup;
      echarts.connect(chart.group);
    }
    drawing.before(keysOf(data, chart));
    new ResizeObserver(() => chart.resize()).observe(drawing);
    const redraw = () => {
      const selected = chart.getOption().legend[0].selected;
      draw();
      chart.setOption({ legend: { selected } });
    };
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    window.matchMedia("print").addEventListener("change", redraw); // paper is light
    drawn.set(figure, (fresh) => {
      const { from, to, isWhole } = shownOf(shown.data, chart);
      const follows = isWhole || zoomOf(chart).end > 99;
      shown.data = fresh;
      redraw();
      if (!follows) {
        keepZoom(chart, fresh, from, to);
      }
    });
  }

  // Charts of a group stand in line; the zoom of one that follows another is set there.
  function partOf(figure, option) {
    if (!figure.dataset.chartGroup) {
      return option;
    }
    const follows = "chartFollows" in figure.dataset;
    const grid = { ...option.grid, left: 64, containLabel: false, bottom: follows ? 28 : 68 };
    return { ...option, grid, dataZoom: follows ? option.dataZoom.slice(0, 1) : option.dataZoom };
  }

  // Whoever looks at a part of a range that moves goes on looking at it, until it is out of the range.
  function keepZoom(chart, data, from, to) {
    const [first, last] = [Date.parse(data.from), Date.parse(data.to)];
    const percent = (moment) => Math.min(Math.max(((moment - first) / (last - first)) * 100, 0), 100);
    chart.dispatchAction({ type: "dataZoom", start: percent(from), end: Math.max(percent(to), percent(from) + 1) });
  }

  async function show(figure, coming) {
    if (drawn.has(figure)) {
      drawn.get(figure)(await coming);
      return;
    }
    const isFirst = !waiting.has(figure);
    waiting.set(figure, coming);
    if (!isFirst) {
      return; // the one that waits for the library draws the latest
    }
    figure.setAttribute("aria-busy", "true");
    try {
      const echarts = await loadLibrary(figure.dataset.chartLibrary);
      build(figure, await waiting.get(figure), echarts);
    } catch (error) {
      figure.prepend(element("p", { class: "text-down", role: "alert" }, `The chart cannot be drawn: ${error.message}. The table has its figures.`));
    } finally {
      figure.removeAttribute("aria-busy");
      figure.classList.add("chart-ready");
    }
  }

  function start() {
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries.filter((one) => one.isIntersecting)) {
          seen.unobserve(entry.target);
          show(entry.target, loadData(entry.target.dataset.chart));
        }
      },
      { rootMargin: "200px" },
    );
    document.querySelectorAll("figure[data-chart]").forEach((figure) => seen.observe(figure));
  }

  window.djamonCharts = { show, loadData };
  start(); // the script is deferred: the page stands
})();
