"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const T = data.texts;
  const $ = (id) => document.getElementById(id);
  const ROW = 30;
  // A decision is an array; these are its places.
  const BAR = 0, DECIDED = 1, POSITION = 2, CONFIDENCE = 3, REASON = 4, OPINIONS = 5, FACTS = 6, STEPS = 7, COST = 8;
  const SUPPORTED = "supported";

  const state = { symbol: 0, selected: -1, shown: [], from: 0, to: 1, cited: "" };
  const now = () => data.instruments[state.symbol];

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") element.textContent = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const time = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  // The sign of what is shown: what rounds to zero has none.
  const signed = (x, digits = 2) => {
    const text = Math.abs(x).toFixed(digits);
    return (Number(text) === 0 ? "" : x > 0 ? "+" : "-") + text;
  };
  const percent = (x) => signed(x * 100) + " %";
  const tone = (x) => (x > 0 ? "up" : x < 0 ? "down" : "");
  const price = (x) => (x === null ? "–" : x.toLocaleString("en-US", { maximumSignificantDigits: 6 }));
  const wrong = (claim) => T[claim[2]] !== "" && T[claim[2]] !== SUPPORTED;
  const errors = (decision) => decision[OPINIONS].reduce((n, o) => n + o[4].filter(wrong).length, 0);
  const before = (i) => (i > 0 ? now().decisions[i - 1][POSITION] : 0);

  // The last place whose value is at most x; -1 if none is.
  const place = (sorted, x, key = (v) => v) => {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (key(sorted[middle]) <= x) low = middle + 1; else high = middle;
    }
    return low - 1;
  };

  // ---- which decisions are shown

  const options = (select, values, all) => {
    const chosen = select.value;
    select.replaceChildren(make("option", { value: "", text: all }), ...values.map((v) => make("option", { value: v, text: v })));
    select.value = values.includes(chosen) ? chosen : "";
  };

  const fillFilters = () => {
    const agents = new Set(), verdicts = new Set();
    for (const d of now().decisions) for (const o of d[OPINIONS]) {
      agents.add(T[o[0]]);
      for (const c of o[4]) if (T[c[2]] !== "") verdicts.add(T[c[2]]);
    }
    options($("agent"), [...agents].sort(), "all");
    const kinds = [...verdicts].sort();
    options($("verdict"), kinds.some((v) => v !== SUPPORTED) ? ["any error", ...kinds] : kinds, "all");
  };

  const matches = (decision, i) => {
    const [agent, verdict, moves] = [$("agent").value, $("verdict").value, $("moves").value];
    const query = $("query").value.trim().toLowerCase();
    const position = decision[POSITION];
    if (moves === "changed" && position === before(i)) return false;
    if (moves === "long" && !(position > 0)) return false;
    if (moves === "short" && !(position < 0)) return false;
    if (moves === "flat" && position !== 0) return false;
    const asked = (claim) => (verdict === "any error" ? wrong(claim) : T[claim[2]] === verdict);
    if (agent || verdict) {
      const opinions = decision[OPINIONS].filter((o) => !agent || T[o[0]] === agent);
      if (!opinions.some((o) => !verdict || o[4].some(asked))) return false;
    }
    if (!query) return true;
    const has = (number) => T[number].toLowerCase().includes(query);
    return has(decision[REASON]) || decision[FACTS].some((f) => has(f[3])) ||
      decision[OPINIONS].some((o) => has(o[3]) || o[4].some((c) => has(c[0])));
  };

  const filter = () => {
    const all = now().decisions;
    state.shown = all.map((_, i) => i).filter((i) => matches(all[i], i));
    $("count").textContent = `${state.shown.length} of ${all.length} decisions`;
    $("rows").style.height = state.shown.length * ROW + "px";
    if (!state.shown.includes(state.selected)) state.selected = state.shown.length ? state.shown[0] : -1;
    drawList(true);
    drawDetail();
    drawCharts();
  };

  // ---- the list: only the rows in sight exist

  const drawList = (follow) => {
    const list = $("list"), rows = $("rows"), all = now().decisions;
    const at = state.shown.indexOf(state.selected);
    if (follow && at >= 0) {
      const hidden = at * ROW < list.scrollTop || (at + 1) * ROW > list.scrollTop + list.clientHeight;
      if (hidden) list.scrollTop = (at + 0.5) * ROW - list.clientHeight / 2;
    }
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const last = Math.min(state.shown.length, first + Math.ceil(list.clientHeight / ROW) + 10);
    const made = [];
    for (let k = first; k < last; k++) {
      const i = state.shown[k], d = all[i], bad = errors(d), change = d[POSITION] - before(i);
      made.push(make("div", {
        class: "row", role: "option", id: "row-" + i, "aria-selected": String(i === state.selected),
        style: `top:${k * ROW}px`, onclick: () => select(i),
      },
      make("span", { text: time(d[BAR]) }),
      make("span", { class: tone(d[POSITION]), text: signed(d[POSITION]) }),
      make("span", { class: "marks" }, make("i", { class: tone(change), text: change ? (change > 0 ? "▲ " : "▼ ") : "" }), bad ? `${bad} wrong` : "")));
    }
    if (!state.shown.length) made.push(make("p", { class: "none", text: all.length ? "No decision matches the filters." : "This run has no decisions." }));
    rows.replaceChildren(...made);
    list.setAttribute("aria-activedescendant", at >= 0 ? "row-" + state.selected : "");
  };

  // ---- one decision

  const drawDetail = () => {
    const detail = $("detail");
    const d = now().decisions[state.selected];
    if (!d) return detail.replaceChildren(make("p", { class: "none", text: "No decision is chosen." }));
    const agent = $("agent").value;
    const bar = place(now().times, d[BAR]);
    const close = bar >= 0 ? now().closes[bar] : null;
    const next = bar >= 0 && bar + 1 < now().closes.length ? now().closes[bar + 1] : null;
    const tokens = d[STEPS].reduce((sum, s) => [sum[0] + s[6], sum[1] + s[7]], [0, 0]);
    const calls = d[STEPS].filter((s) => s[6] + s[7] > 0).length;
    const tile = (label, value, note, kind = "") => make("div", { class: "tile" },
      make("span", { text: label }), make("b", { text: value, class: kind }), make("small", { text: note }));
    const children = [
      make("h2", { text: `${now().symbol}, bar of ${time(d[BAR])}` }),
      make("div", { class: "tiles" },
        tile("position", signed(d[POSITION]), `before ${signed(before(state.selected))}`, tone(d[POSITION])),
        tile("confidence", d[CONFIDENCE] === null ? "–" : d[CONFIDENCE].toFixed(2), `decided ${time(d[DECIDED])}`),
        tile("close", price(close), next === null || close === null ? "the last bar" : `next bar ${percent(next / close - 1)} (not known then)`),
        tile("model calls", String(calls), `${tokens[0]} tokens read, ${tokens[1]} written`),
        tile("cost", d[COST] === null ? "–" : String(Number(d[COST].toPrecision(4))), "by the price table of the run")),
    ];
    if (T[d[REASON]]) children.push(make("p", { id: "reason", text: T[d[REASON]] }));

    if (d[OPINIONS].length) children.push(make("h2", { text: "What the agents said" }));
    const cards = d[OPINIONS].map((o) => {
      const [name, score, confidence, rationale, claims] = o;
      const width = Math.min(1, Math.abs(score)) * 50;
      const card = make("section", { class: "opinion" + (agent && T[name] !== agent ? " dim" : "") },
        make("h3", {}, make("span", { text: T[name] }), make("span", { class: tone(score), text: `${signed(score)} · sure ${confidence.toFixed(2)}` })),
        make("div", { class: "scale" }, make("b", { class: tone(score), style: `width:${width}%;left:${score < 0 ? 50 - width : 50}%` })),
        make("p", { text: T[rationale] }));
      if (claims.length) card.append(make("ul", { class: "claims" }, ...claims.map((claim) => drawClaim(claim))));
      return card;
    });
    children.push(make("div", { class: "opinions" }, ...cards));

    if (d[FACTS].length) {
      children.push(make("h2", { text: "What they were given" }));
      const body = make("tbody", {}, ...d[FACTS].map((f) => make("tr", { "data-id": T[f[0]], class: T[f[0]] === state.cited && state.cited ? "cited" : null },
        make("td", { text: T[f[1]] }), make("td", { text: T[f[2]] }), make("td", { text: T[f[3]] }),
        make("td", { class: "when", text: time(f[4]) }), make("td", { class: "when", text: time(f[5]) }))));
      const names = ["kind", "name", "as worded", "happened", "known from"];
      children.push(make("div", { class: "scroll" }, make("table", { class: "facts" },
        make("thead", {}, make("tr", {}, ...names.map((n) => make("th", { scope: "col", text: n })))), body)));
    }

    if (d[STEPS].length) children.push(make("h2", { text: "What happened, in order" }));
    for (const s of d[STEPS]) {
      const about = [s[2], s[3]].map((n) => T[n]).filter((t) => t).join(", ");
      const used = s[6] + s[7] ? `${s[6]} + ${s[7]} tokens` : "";
      const step = make("details", {}, make("summary", {}, `${T[s[0]]}: ${T[s[1]]} `, make("span", { text: [about, used].filter((t) => t).join(" · ") })));
      // Long prompts become elements only where someone looks.
      step.addEventListener("toggle", () => {
        if (!step.open || step.querySelector("pre")) return;
        for (const [name, text] of [["asked", T[s[4]]], ["came back", T[s[5]]]]) if (text) step.append(make("small", { text: name }), make("pre", { text }));
      });
      children.push(step);
    }
    detail.replaceChildren(...children);
  };

  const drawClaim = ([text, cited, verdict, expected]) => {
    const kind = T[verdict] === "" ? "open" : T[verdict] === SUPPORTED ? "good" : "bad";
    const item = make("li", {}, make("span", { class: "badge " + kind, text: T[verdict] || "not checked" }), T[text] + " ");
    if (T[cited]) item.append(make("button", { type: "button", text: `[${T[cited].split("/").slice(-2).join("/")}]`, title: T[cited], onclick: () => cite(T[cited]) }));
    if (T[expected]) item.append(make("small", { text: `the fact says: ${T[expected]}` }));
    return item;
  };

  const cite = (id) => {
    state.cited = id;
    for (const row of document.querySelectorAll(".facts tbody tr")) {
      row.classList.toggle("cited", row.dataset.id === id);
      if (row.dataset.id === id) row.scrollIntoView({ block: "nearest" });
    }
  };

  // ---- charts

  const span = () => {
    const times = now().times.length ? now().times : now().decisions.map((d) => d[BAR]);
    return times.length ? [times[0], Math.max(times[times.length - 1], times[0] + 1)] : [0, 1];
  };
  const view = () => {
    const [first, last] = span();
    return [first + (last - first) * state.from, first + (last - first) * state.to];
  };
  const AXIS = 64;

  const surface = (canvas) => {
    const { clientWidth: width, clientHeight: height } = canvas, ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim();
    const [from, to] = view();
    const x = (ms) => AXIS + ((ms - from) / (to - from)) * (width - AXIS - 8);
    pen.font = "11px system-ui, sans-serif";
    return { pen, width, height, colour, x, from, to };
  };

  // Round numbers within the range, some four on a high chart.
  const ticks = (low, high, height) => {
    const rough = (high - low) / (height > 150 ? 4 : 2), power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((v) => v >= rough * 0.999);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
    return found.length ? found : [low];
  };

  const frame = (s, low, high, label, margin = 0) => {
    const top = 16 + margin, bottom = s.height - 16 - margin;
    const y = (v) => bottom - ((v - low) / (high - low || 1)) * (bottom - top);
    s.pen.strokeStyle = s.colour("rule");
    s.pen.fillStyle = s.colour("soft");
    s.pen.textAlign = "right";
    s.pen.textBaseline = "middle";
    for (const v of high > low ? ticks(low, high, s.height) : [low]) {
      s.pen.beginPath();
      s.pen.moveTo(AXIS, y(v));
      s.pen.lineTo(s.width - 8, y(v));
      s.pen.stroke();
      s.pen.fillText(label(v), AXIS - 6, y(v));
    }
    s.pen.textBaseline = "bottom";
    const days = s.to - s.from > 3 * 864e5;
    const parts = s.width < 560 ? 2 : 4;
    for (let k = 0; k <= parts; k++) {
      const at = s.from + ((s.to - s.from) * k) / parts;
      s.pen.textAlign = k === 0 ? "left" : k === parts ? "right" : "center";
      s.pen.fillText(days ? time(at).slice(0, 10) : time(at).slice(5), s.x(at), s.height);
    }
    return y;
  };

  // The visible part with one neighbour on either side.
  const visible = (times, s) => [Math.max(0, place(times, s.from)), Math.min(times.length, place(times, s.to) + 2)];

  const bounds = (series, range) => {
    let low = Infinity, high = -Infinity;
    for (const values of series) for (let i = range[0]; i < range[1]; i++) {
      const v = values[i];
      if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); }
    }
    return low <= high ? [low, high] : [0, 1];
  };

  // Where many points share a column of pixels, its lowest and highest are drawn: no spike is lost.
  const trace = (s, times, values, range, y, colour) => {
    const { pen } = s;
    pen.save();
    pen.beginPath();
    pen.rect(AXIS, 0, s.width - AXIS, s.height);
    pen.clip();
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    pen.beginPath();
    let open = false;
    for (let i = range[0]; i < range[1];) {
      if (values[i] === null) { open = false; i++; continue; }
      const column = Math.floor(s.x(times[i]));
      let low = values[i], high = values[i], last = values[i], j = i + 1;
      while (j < range[1] && Math.floor(s.x(times[j])) === column && values[j] !== null) {
        low = Math.min(low, values[j]);
        high = Math.max(high, values[j]);
        last = values[j++];
      }
      const at = s.x(times[i]);
      if (open) pen.lineTo(at, y(values[i])); else pen.moveTo(at, y(values[i]));
      if (low !== high) { pen.lineTo(at, y(low)); pen.lineTo(at, y(high)); pen.lineTo(at, y(last)); }
      open = true;
      i = j;
    }
    pen.stroke();
    pen.restore();
  };

  const cursor = (s) => {
    const d = now().decisions[state.selected];
    if (!d || d[BAR] < s.from || d[BAR] > s.to) return;
    s.pen.strokeStyle = s.colour("ink");
    s.pen.setLineDash([3, 3]);
    s.pen.beginPath();
    s.pen.moveTo(s.x(d[BAR]), 14);
    s.pen.lineTo(s.x(d[BAR]), s.height - 14);
    s.pen.stroke();
    s.pen.setLineDash([]);
  };

  const drawPrice = () => {
    const s = surface($("price")), { times, closes, decisions } = now();
    const range = visible(times, s);
    // room for the triangles
    const y = frame(s, ...bounds([closes], range), price, 10);
    trace(s, times, closes, range, y, s.colour("line"));
    const changed = state.shown.filter((i) => decisions[i][POSITION] !== before(i) && decisions[i][BAR] >= s.from && decisions[i][BAR] <= s.to);
    const size = changed.length > s.width / 8 ? 2 : 4;
    for (const i of changed) {
      const d = decisions[i], change = d[POSITION] - before(i);
      const bar = place(times, d[BAR]);
      if (bar < 0 || closes[bar] === null) continue;
      const [x, at, up] = [s.x(d[BAR]), y(closes[bar]), change > 0];
      s.pen.fillStyle = s.colour(up ? "up" : "down");
      s.pen.beginPath();
      s.pen.moveTo(x, at + (up ? 4 : -4));
      s.pen.lineTo(x - size, at + (up ? 1 : -1) * (4 + 2 * size));
      s.pen.lineTo(x + size, at + (up ? 1 : -1) * (4 + 2 * size));
      s.pen.fill();
    }
    cursor(s);
  };

  const drawPosition = () => {
    const s = surface($("position")), { decisions } = now();
    const y = frame(s, -1, 1, (v) => signed(v, 0) || "0");
    const last = span()[1];
    let i = Math.max(0, place(decisions, s.from, (d) => d[BAR]));
    while (i < decisions.length && decisions[i][BAR] <= s.to) {
      // Equal positions in a row are one box: side by side they would show seams.
      const p = decisions[i][POSITION], start = Math.max(AXIS, s.x(decisions[i][BAR]));
      do i++; while (i < decisions.length && decisions[i][POSITION] === p);
      const end = Math.min(s.width - 8, s.x(i < decisions.length ? decisions[i][BAR] : last));
      s.pen.fillStyle = s.colour(p >= 0 ? "up" : "down");
      s.pen.globalAlpha = 0.65;
      s.pen.fillRect(start, Math.min(y(0), y(p)), Math.max(1, end - start), Math.abs(y(p) - y(0)));
      s.pen.globalAlpha = 1;
    }
    cursor(s);
  };

  const drawEquity = () => {
    const s = surface($("equity")), { times, equity, held } = now().account;
    if (!times.length) {
      s.pen.fillStyle = s.colour("soft");
      return s.pen.fillText("No account of this instrument alone.", AXIS, s.height / 2);
    }
    const range = visible(times, s);
    const y = frame(s, ...bounds([equity, held], range), price);
    trace(s, times, held, range, y, s.colour("line"));
    trace(s, times, equity, range, y, s.colour("accent"));
    cursor(s);
  };

  const drawCharts = () => { drawPrice(); drawPosition(); drawEquity(); };

  // ---- what the reader does

  const select = (i) => {
    if (i < 0 || i === state.selected) return;
    state.selected = i;
    state.cited = "";
    const at = now().decisions[i][BAR], [from, to] = view();
    if (at < from || at > to) {
      const [first, last] = span(), half = (state.to - state.from) / 2, centre = (at - first) / (last - first);
      move(centre - half, centre + half);
    }
    drawList(true);
    drawDetail();
    drawCharts();
    remember();
  };

  const step = (by) => {
    if (!state.shown.length) return;
    const at = state.shown.indexOf(state.selected);
    select(state.shown[Math.max(0, Math.min(state.shown.length - 1, at + by))]);
  };

  const nextError = () => {
    const all = now().decisions;
    const after = state.shown.find((i) => i > state.selected && errors(all[i]) > 0);
    const found = after ?? state.shown.find((i) => errors(all[i]) > 0);
    if (found !== undefined) select(found);
  };

  const move = (from, to) => {
    const width = Math.min(1, Math.max(1e-4, to - from));
    state.from = Math.max(0, Math.min(1 - width, from));
    state.to = state.from + width;
  };
  const zoom = (factor, centre) => {
    const width = (state.to - state.from) * factor, at = state.from + (state.to - state.from) * centre;
    move(at - width * centre, at + width * (1 - centre));
    drawCharts();
  };
  const share = (canvas, event) => {
    const box = canvas.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left - AXIS) / (box.width - AXIS - 8)));
  };

  // The address names what is seen, so that it can be shared.
  const remember = () => {
    const d = now().decisions[state.selected];
    const parts = new URLSearchParams();
    if (state.symbol) parts.set("symbol", now().symbol);
    if (d) parts.set("bar", new Date(d[BAR]).toISOString());
    for (const id of ["agent", "verdict", "moves", "query"]) if ($(id).value) parts.set(id, $(id).value);
    try { history.replaceState(null, "", "#" + parts); } catch { /* a page without an address of its own */ }
  };

  const open = (symbol) => {
    state.symbol = symbol;
    $("symbol").value = String(symbol);
    state.selected = -1;
    [state.from, state.to] = [0, 1];
    fillFilters();
  };

  const restore = () => {
    const parts = new URLSearchParams(location.hash.slice(1));
    open(Math.max(0, data.instruments.findIndex((i) => i.symbol === parts.get("symbol"))));
    for (const id of ["agent", "verdict", "moves", "query"]) $(id).value = parts.get(id) ?? "";
    const at = place(now().decisions, Date.parse(parts.get("bar") ?? ""), (d) => d[BAR]);
    if (parts.has("bar") && at >= 0) state.selected = at;
    filter();
  };

  if (!data.instruments.length) {
    $("detail").append(make("p", { class: "none", text: "This run has no instruments." }));
    return;
  }
  $("symbol").replaceChildren(...data.instruments.map((i, k) => make("option", { value: String(k), text: i.symbol })));
  $("symbol-label").hidden = data.instruments.length < 2;
  $("symbol").addEventListener("change", () => { open(Number($("symbol").value)); filter(); remember(); });
  for (const id of ["agent", "verdict", "moves", "query"]) $(id).addEventListener("input", () => { filter(); remember(); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  const clear = () => {
    for (const id of ["agent", "verdict", "moves", "query"]) $(id).value = "";
    filter();
    remember();
  };
  $("clear").addEventListener("click", (event) => { event.preventDefault(); clear(); });
  $("list").addEventListener("scroll", () => drawList(false));
  for (const id of ["price", "position", "equity"]) {
    const canvas = $(id);
    canvas.addEventListener("click", (event) => {
      const [from, to] = view(), all = now().decisions;
      const at = from + (to - from) * share(canvas, event);
      const left = state.shown[place(state.shown, at, (i) => all[i][BAR])], right = state.shown[place(state.shown, at, (i) => all[i][BAR]) + 1];
      const far = (i) => (i === undefined ? Infinity : Math.abs(all[i][BAR] - at));
      const nearest = far(left) <= far(right) ? left : right;
      if (nearest !== undefined) select(nearest);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, share(canvas, event));
    }, { passive: false });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { clear(); document.activeElement?.blur(); return; }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "")) return;
    const keys = {
      ArrowLeft: () => step(-1), ArrowUp: () => step(-1), k: () => step(-1),
      ArrowRight: () => step(1), ArrowDown: () => step(1), j: () => step(1),
      Home: () => step(-Infinity), End: () => step(Infinity), e: nextError,
      "+": () => zoom(0.6, 0.5), "-": () => zoom(1 / 0.6, 0.5), 0: () => { move(0, 1); drawCharts(); },
      "/": () => $("query").focus(),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  window.addEventListener("resize", () => { drawList(false); drawCharts(); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
  window.addEventListener("hashchange", restore);
  restore();
})();
