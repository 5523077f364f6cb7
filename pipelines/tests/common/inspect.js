// What is wrong with the page as it stands on this screen, as a list of sentences. An expression: the browser evaluates it in the page.
(() => {
  const found = new Set();
  const say = (what, where) => found.add(where ? `${what}: ${where}` : what);
  const brief = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 80));
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : e.getAttribute("class") ? "." + e.getAttribute("class").split(" ")[0] : "");
  const inside = (e, selector) => e.closest(selector) !== null;
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;

  // ---- the page is as wide as its screen
  const width = document.documentElement.clientWidth;
  if (innerWidth > width || document.documentElement.scrollWidth > width) {
    const far = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement));
    say(`the page is ${Math.max(innerWidth, document.documentElement.scrollWidth)} pixels wide on a screen of ${width}`, far.slice(0, 3).map(name).join(", "));
  }
  function scrolls(e) {
    for (; e && e !== document.body; e = e.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)) return true;
    return false;
  }

  // ---- no text leaves its box, or is cut off in it
  for (const e of document.body.querySelectorAll("*")) {
    if (inside(e, "svg, canvas") || !shown(e) || !/\S/.test(e.textContent)) continue;
    const style = getComputedStyle(e);
    if (style.display === "inline" || e.clientWidth === 0) continue;
    const out = e.scrollWidth - e.clientWidth;
    if (out > 1 && !/auto|scroll/.test(style.overflowX) && e !== document.documentElement && e !== document.body) say(`a text leaves its box by ${out} pixels`, `${name(e)} ${brief(e.textContent)}`);
  }

  // ---- anchors, ids
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => say("an id is given twice", id));
  for (const a of document.querySelectorAll("a[href]")) {
    const target = a.getAttribute("href");
    if (target.startsWith("#") && !document.getElementById(decodeURIComponent(target.slice(1)))) say("an anchor leads nowhere", target);
    if (!a.textContent.trim()) say("an anchor has no text", target);
  }

  // ---- what has to be there
  if (!document.title.trim()) say("the page has no title");
  if (!document.documentElement.lang) say("the page does not say its language");
  if (document.querySelectorAll("h1").length !== 1) say("the page has not exactly one first heading");
  for (const table of document.querySelectorAll("table")) if (shown(table)) {
    if (!table.querySelector("tbody tr")) say("a table has no rows", name(table));
    if ([...table.querySelectorAll("th")].some((th) => !th.textContent.trim())) say("a column has no name", name(table));
  }

  // ---- texts: nothing that only a program says. Rows of the data are shown as they are.
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!/\S/.test(node.data) || /^(script|style|noscript|title|option)$/i.test(e.tagName) || !shown(e)) continue;
    texts.push([node, e]);
    if (inside(e, "pre, code, .words, .claims, #detail")) continue;
    const text = node.data.trim();
    if (/\bNaN\b|\bInfinity\b|^[-+−]?inf$|\bundefined\b|^null$|^None$|\bSome\(|\bErr\(|\[object /.test(text)) say("a text of a program", brief(text));
    if (/\{\{|\}\}|\{%|<\/?(td|tr|b|p|span|div)\b/.test(text)) say("a template or markup is shown", brief(text));
    if (/&(amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-f]+);/i.test(text)) say("an entity is shown", brief(text));
    if (/(^|[\s(])[-−]0(\.0+)?(?![\d.,])/.test(text)) say("a negative zero", brief(text));
    if (/\d\.\d{8,}/.test(text)) say("a number with more digits than mean anything", brief(text));
  }

  // ---- colours
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const seen = new Map();
  const rgba = (colour) => {
    if (!seen.has(colour)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      seen.set(colour, [r, g, b, a / 255]);
    }
    return seen.get(colour);
  };
  const over = (top, below, alpha = 1) => below.slice(0, 3).map((c, i) => top[i] * top[3] * alpha + c * (1 - top[3] * alpha)).concat(1);
  // WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
  const luminance = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * ((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))(c[i] / 255), 0);
  const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const ground = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      layers.push(c);
      if (c[3] === 1) break;
    }
    const canvasColour = rgba("Canvas");
    return layers.reverse().reduce((below, c) => over(c, below), canvasColour);
  };
  const opacity = (e) => { let o = 1; for (; e; e = e.parentElement) o *= getComputedStyle(e).opacity; return o; };
  const enough = (ink, paper, least, what, where) => {
    const ratio = contrast(ink, paper);
    if (ratio < least) say(`${what} of contrast ${ratio.toFixed(1)} to 1, less than ${least}`, where);
  };
  for (const [node, e] of texts) {
    if (inside(e, "svg") || inside(e, ".dim")) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const paper = ground(e);
    enough(over(rgba(style.color), paper, opacity(e)), paper, large ? 3 : 4.5, "a text", `${name(e)} ${brief(node.data)}`);
    if (size < 10) say(`a text of ${size} pixels`, `${name(e)} ${brief(node.data)}`);
  }

  // ---- figures
  // The corners of a text as it lies, without the room that a line keeps above and below its letters.
  const corners = (text) => {
    const box = text.getBBox(), m = text.getScreenCTM(), high = box.height * 0.2;
    return [[box.x, box.y + high], [box.x + box.width, box.y + high], [box.x + box.width, box.y + box.height - high], [box.x, box.y + box.height - high]]
      .map(([x, y]) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f]);
  };
  // Two convex shapes are apart if a line along a side of one separates them.
  const touch = (a, b) => {
    for (const shape of [a, b]) for (let i = 0; i < 2; i++) {
      const [p, q] = [shape[i], shape[i + 1]], axis = [p[1] - q[1], q[0] - p[0]], long = Math.hypot(...axis) || 1;
      const range = (s) => { const along = s.map((c) => (c[0] * axis[0] + c[1] * axis[1]) / long); return [Math.min(...along), Math.max(...along)]; };
      const [[a0, a1], [b0, b1]] = [range(a), range(b)];
      if (a1 - 0.5 <= b0 || b1 - 0.5 <= a0) return false;
    }
    return true;
  };
  for (const svg of document.querySelectorAll("svg")) {
    const box = svg.getBoundingClientRect(), where = `figure ${brief(svg.getAttribute("aria-label") ?? "")}`;
    if (!(box.width > 50 && box.height > 30)) { say(`a figure of ${box.width} by ${box.height} pixels`, where); continue; }
    if (!svg.getAttribute("aria-label")) say("a figure has no name", where);
    const marks = [...svg.querySelectorAll("rect, path, circle, line, polyline")];
    if (!marks.some((e) => !e.matches(".grid, .axis")) && !svg.querySelector(".empty")) say("a figure shows nothing", where);
    if (marks.some((e) => /NaN|Infinity|undefined/.test(e.outerHTML.slice(0, 400)))) say("a mark has no place", where);
    const paper = ground(svg.parentElement);
    const areas = [...svg.querySelectorAll("rect")].map((e) => [e.getBoundingClientRect(), getComputedStyle(e)]);
    const labels = [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim()).map((t) => [t, corners(t)]);
    for (const [text, shape] of labels) {
      const what = brief(text.textContent);
      const xs = shape.map((c) => c[0]), ys = shape.map((c) => c[1]);
      const out = Math.max(box.left - Math.min(...xs), Math.max(...xs) - box.right, box.top - Math.min(...ys), Math.max(...ys) - box.bottom);
      if (out > 1) say(`a text leaves its figure by ${out.toFixed(0)} pixels`, `${where}, ${what}`);
      const [x, y] = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
      const below = areas.filter(([b]) => b.left <= x && x <= b.right && b.top <= y && y <= b.bottom)
        .reduce((under, [, s]) => over(rgba(s.fill), under, s.fillOpacity * s.opacity), paper);
      const style = getComputedStyle(text);
      enough(over(rgba(style.fill), below, style.fillOpacity * opacity(text)), below, 4.5, "a text", `${where}, ${what}`);
      const m = text.getScreenCTM(), size = parseFloat(style.fontSize) * Math.hypot(m.a, m.b);
      if (size < 9) say(`a text of ${size.toFixed(1)} pixels`, where);
    }
    for (let i = 0; i < labels.length; i++) for (let j = 0; j < i; j++) {
      if (touch(labels[i][1], labels[j][1])) say("texts lie on each other", `${where}, ${brief(labels[j][0].textContent)} and ${brief(labels[i][0].textContent)}`);
    }
    for (const mark of svg.querySelectorAll(".line, .bar")) {
      const style = getComputedStyle(mark), line = style.stroke !== "none", [ink, alpha] = line ? [style.stroke, style.strokeOpacity] : [style.fill, style.fillOpacity];
      // what is laid through other marks, or only there to be pointed at, is not read by its colour
      if (alpha < 0.5 || ink === "none") continue;
      enough(over(rgba(ink), paper, alpha), paper, 3, "a mark", `${where}, ${mark.getAttribute("class")}`);
    }
  }
  return [...found];
})()
