// What the console does beyond plain pages. Everything here may be missing: pages read and forms send
// without it. No text is made from markup, and nothing leaves this server.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("script");
  // The page's language, in the region that the reader prefers (24 hours or 12, order of day and month).
  const language = navigator.languages?.find((it) => it.split("-")[0] === root.lang) || root.lang || "en";
  // The server's clock, which a sandbox can turn or stop, against this machine's.
  const begun = Date.now();
  const serverNow = Number(document.body.dataset.now) || begun;
  const frozen = document.body.dataset.frozen === "true";
  const now = () => (frozen ? serverNow : serverNow + (Date.now() - begun));

  const full = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const today = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  const regions = "DisplayNames" in Intl ? new Intl.DisplayNames([language], { type: "region" }) : null;

  const local = (at) => {
    const there = new Date(at), here = new Date(now());
    return there.toDateString() === here.toDateString() ? today.format(there) : full.format(there);
  };

  const wait = (milliseconds) => {
    const seconds = Math.ceil(milliseconds / 1000);
    const parts = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
    const first = parts.findIndex(([size]) => seconds >= size);
    const shown = parts.slice(first < 0 ? 3 : first, (first < 0 ? 3 : first) + 2);
    let rest = seconds;
    return shown.map(([size, unit]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "narrow" }).format(count);
    }).join(" ");
  };

  // Times: local, with UTC for the pointer; those to come count down as well.
  const tell = (time) => {
    const at = Date.parse(time.dateTime);
    if (Number.isNaN(at)) return;
    if (time.hasAttribute("data-clock")) {
      time.textContent = full.format(new Date(now()));
      return;
    }
    const text = local(at);
    const left = at - now();
    const counts = time.hasAttribute("data-until") && left > 0 && left < 172800000;
    const words = counts ? `${text} (${wait(left)})` : text;
    if (time.textContent !== words) time.textContent = words;
  };

  const dress = (part) => {
    part.querySelectorAll("time[datetime]").forEach(tell);
    part.querySelectorAll("[data-region]").forEach((it) => {
      try { it.textContent = regions ? regions.of(it.dataset.region) : it.dataset.region; } catch { /* unknown: stays */ }
    });
    part.querySelectorAll("[data-copy][hidden], [data-fill][hidden]").forEach((it) => { it.hidden = false; });
    part.querySelectorAll("[data-chart]").forEach((it) => draw(it));
  };

  setInterval(() => document.querySelectorAll("time[data-until], time[data-clock]").forEach(tell), 1000);

  const announce = (button) => {
    const words = button.textContent;
    button.textContent = document.body.dataset.copied;
    setTimeout(() => { button.textContent = words; }, 1500);
  };

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const from = copy.dataset.copy ? document.querySelector(copy.dataset.copy) : null;
      const text = copy.dataset.value || (from ? from.value || from.textContent : "");
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => announce(copy), () => {});
      else if (from && from.select) from.select();
      return;
    }
    const fill = event.target.closest("[data-fill]");
    if (fill) {
      const field = document.querySelector(fill.dataset.fill);
      if (field) {
        field.value = fill.dataset.value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.focus();
      }
    }
  });

  // A form is sent once: a second click while the first is on its way does nothing.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || event.target.method !== "post" || button.hasAttribute("data-keep")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
    setTimeout(() => { button.disabled = true; }, 0);
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // Keys.
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const search = document.querySelector("[data-search]");
    const to = { n: "/console/register", o: "/console" }[event.key];
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select(); }
    else if (event.key === "/") { event.preventDefault(); location.assign("/console/numbers"); }
    else if (to && document.querySelector(`.nav a[href="${to}"]`)) location.assign(to);
  });

  // News: the server says that something changed; parts that listen for it ask again.
  const live = document.body.dataset.live;
  if (live && "EventSource" in window && document.querySelector('[hx-trigger*="ledger"]')) {
    const source = new EventSource(live);
    source.addEventListener("ledger", () => document.body.dispatchEvent(new CustomEvent("ledger")));
    window.addEventListener("pagehide", () => source.close());
  }

  // On a phone the navigation and tabs are wider than the screen: the place where one is comes into view.
  const narrow = window.matchMedia("(max-width: 860px)");
  const find = () => document.querySelectorAll('.nav [aria-current="page"], .tabs [aria-current="page"]').forEach((it) => {
    const bar = it.closest("nav");
    bar.scrollLeft = it.offsetLeft - bar.offsetLeft - (bar.clientWidth - it.offsetWidth) / 2;
  });
  narrow.addEventListener("change", find);
  find();

  // Whoever has the keyboard in such a part is not disturbed.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (part.hasAttribute("data-calm") && part.contains(document.activeElement)) event.preventDefault();
  });

  // Charts: numbers come as JSON in an attribute, colours from the page's own.
  const draw = (box) => {
    if (!window.uPlot || box.dataset.drawn) return;
    box.dataset.drawn = "yes";
    const { time, labels, data } = JSON.parse(box.dataset.chart);
    const style = getComputedStyle(document.body);
    const probe = document.createElement("i");
    box.append(probe);
    const colour = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const inks = ["--accent", "--info", "--bad", "--wait"].map(colour);
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `12px ${style.fontFamily}` };
    probe.remove();
    const size = () => ({ width: box.clientWidth, height: 200 });
    const plot = new window.uPlot({
      ...size(),
      cursor: { y: false, points: { size: 6 } },
      legend: { live: true },
      scales: { y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.15))] } },
      axes: [{ ...axis, grid: { show: false }, values: (_, all) => all.map((at) => hour.format(new Date(at * 1000))) }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 100000] }],
      series: [
        { label: time, value: (_, at) => (at ? full.format(new Date(at * 1000)) : "") },
        ...labels.map((label, i) => ({ label, stroke: inks[i], width: 2, fill: i ? undefined : `color-mix(in srgb, ${inks[0]} 12%, transparent)`, points: { show: false } })),
      ],
    }, data, box);
    const watch = new ResizeObserver(() => plot.setSize(size()));
    watch.observe(box);
    // A canvas keeps the colours it was drawn in.
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      watch.disconnect();
      plot.destroy();
      delete box.dataset.drawn;
      draw(box);
    }, { once: true });
  };

  document.addEventListener("htmx:afterSwap", (event) => dress(event.target.parentElement || document.body));
  document.addEventListener("htmx:load", (event) => dress(event.detail.elt.parentElement || document.body));
  dress(document.body);
})();
