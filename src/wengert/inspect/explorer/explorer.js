// The explorer: one canvas for the graph, one for the minimap, one for the memory timeline; everything else is DOM.
// Text of the user's reaches the page through textContent and fillText only.

const $ = (id) => document.getElementById(id);
const FIRST_OPEN = 160, TEXT_SCALE = 0.42, NAME_SCALE = 0.2, APART = 3.5;
const CURVES = 1500;

const LIGHT = {
  blue: "#2563eb", red: "#dc2626", grey: "#94a3b8", ink: "#0f172a", faint: "#64748b", back: "#ffffff", frame: "#f8fafc",
  frame2: "#eef2f7", line: "#cbd5e1", pick: "#f59e0b", pending: "#f1f5f9",
  kinds: { leaf: "#fef3c7", parameter: "#dcfce7", constant: "#f1f5f9", operation: "#ffffff", group: "#e0e7ff", output: "#ede9fe" },
  borders: { leaf: "#d97706", parameter: "#16a34a", constant: "#94a3b8", operation: "#64748b", group: "#6366f1", output: "#7c3aed" },
};
const DARK = {
  blue: "#60a5fa", red: "#f87171", grey: "#64748b", ink: "#e2e8f0", faint: "#94a3b8", back: "#0b1120", frame: "#111a2e",
  frame2: "#16213a", line: "#334155", pick: "#fbbf24", pending: "#0f172a",
  kinds: { leaf: "#3b2f12", parameter: "#12351f", constant: "#1e293b", operation: "#1e293b", group: "#1e1f4b", output: "#2e1f52" },
  borders: { leaf: "#d97706", parameter: "#22c55e", constant: "#64748b", operation: "#64748b", group: "#818cf8", output: "#a78bfa" },
};

const state = {
  stage: 0, data: null, open: new Set(), view: null, camera: { x: 0, y: 0, scale: 1 }, step: Infinity, playing: false,
  selected: null, hover: null, color: "kind", hidden: new Set(), path: null, pathFrom: null, dark: false, dirty: true,
  timing: { layout: 0, paint: 0, frames: [] },
};
let stages = [];
const canvas = $("graph"), pen = canvas.getContext("2d");
const colors = () => (state.dark ? DARK : LIGHT);

// -- data --------------------------------------------------------------------------------------------------------------

async function unpack() {
  const bytes = Uint8Array.from(atob($("data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// Columns stay columns; what is asked often is derived once.
function prepare(stage) {
  const { nodes, edges, groups, strings, steps } = stage;
  const count = nodes.op ? nodes.op.length : 0;
  stage.count = count;
  stage.text = (i) => strings[i];
  stage.incoming = Array.from({ length: count }, () => []);
  stage.outgoing = Array.from({ length: count }, () => []);
  for (let e = 0; e < edges.a.length; e++) {
    stage.incoming[edges.b[e]].push(e);
    stage.outgoing[edges.a[e]].push(e);
  }
  stage.paths = groups.parent.map(() => []);
  for (let g = 1; g < groups.parent.length; g++) stage.paths[g] = [...stage.paths[groups.parent[g]], g];
  stage.children = groups.parent.map(() => []);
  for (let g = 1; g < groups.parent.length; g++) stage.children[groups.parent[g]].push(g);
  stage.own = groups.parent.map(() => 0);
  stage.operations = groups.parent.map(() => 0);
  const seconds = new Array(count).fill(0);
  for (let i = 0; i < count; i++) {
    stage.own[nodes.group[i]]++;
    seconds[i] = (nodes.forward[i] || 0) + (nodes.backward[i] || 0);
    if (strings[nodes.kind[i]] === "operation") for (const g of stage.paths[nodes.group[i]]) stage.operations[g]++;
  }
  stage.seconds = seconds;
  stage.keptBytes = Array.from({ length: count }, (_, i) => nodes.kept ? nodes.kept[i].reduce((sum, one) => sum + one[2], 0) : 0);
  stage.forwardStep = new Array(count).fill(-1);
  stage.backwardStep = new Array(count).fill(-1);
  steps.n.forEach((node, s) => { (steps.b[s] ? stage.backwardStep : stage.forwardStep)[node] = s; });
  stage.isSource = (i) => strings[nodes.kind[i]] !== "operation";
  stage.gradientUses = new Array(count).fill(0);
  for (let e = 0; e < edges.a.length; e++) if (edges.g[e] && stage.backwardStep[edges.b[e]] >= 0) stage.gradientUses[edges.a[e]]++;
  stage.bad = Array.from({ length: count }, (_, i) =>
    [nodes.value[i], nodes.grad[i]].some((one) => one && one.s[4] + one.s[5] > 0));
  return stage;
}

const show = (number) => (typeof number === "number" ? String(+number.toPrecision(4)) : String(number));
const bytesText = (n) => {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) { if (n < 1024) return (unit === "B" ? n : n.toFixed(1)) + " " + unit; n /= 1024; }
  return n.toFixed(1) + " TiB";
};
const countText = (n) => {
  for (const unit of ["", " k", " M", " G"]) { if (n < 1000) return +n.toPrecision(3) + unit; n /= 1000; }
  return +n.toPrecision(3) + " T";
};
const timeText = (s) => (s >= 1 ? +s.toPrecision(3) + " s" : s >= 1e-3 ? +(s * 1e3).toPrecision(3) + " ms" : +(s * 1e6).toPrecision(3) + " µs");
function valueText(value) {
  if (!value) return "";
  if (value.v && value.v.length === 1) return show(value.v[0]);
  if (value.s[4] + value.s[5]) return `${value.s[4]} NaN, ${value.s[5]} inf`;
  if (value.v && value.v.length <= 4) return "[" + value.v.map(show).join(", ") + "]";
  return show(value.s[0]) + " … " + show(value.s[1]);
}
const clip = (text, most = 30) => (text.length <= most ? text : text.slice(0, most / 2 - 1) + "…" + text.slice(-most / 2));

// -- what is visible ---------------------------------------------------------------------------------------------------

// The item that stands for a node: itself, or the outermost closed group around it.
function standIns(stage) {
  const closed = stage.groups.parent.map(() => 0);
  for (let g = 1; g < closed.length; g++) {
    const parent = stage.groups.parent[g];
    closed[g] = closed[parent] || (state.open.has(g) ? 0 : g);
  }
  return closed;
}

function firstOpen(stage) {
  const open = new Set();
  let visible = stage.own[0] + stage.children[0].length, queue = [...stage.children[0]];
  while (queue.length) {
    const next = [];
    queue.sort((a, b) => stage.operations[a] - stage.operations[b]);
    for (const g of queue) {
      const more = stage.own[g] + stage.children[g].length - 1;
      if (visible + more > FIRST_OPEN) continue;
      visible += more;
      open.add(g);
      next.push(...stage.children[g]);
    }
    queue = next;
  }
  return open;
}

const measure = document.createElement("canvas").getContext("2d");
function boxOf(lines) {
  let width = 56, height = 9;
  for (const [text, size, , bold] of lines) {
    measure.font = (bold ? "bold " : "") + size + "px system-ui, 'DejaVu Sans', sans-serif";
    width = Math.max(width, measure.measureText(text).width + 20);
    height += size + 4.5;
  }
  return [width, height];
}

function linesOf(stage, i) {
  const { nodes } = stage, text = stage.text;
  let head = clip(text(nodes.name[i]));
  const given = nodes.operands[i].map(text).filter((one) => one && one !== "constant");
  if (given.length === 1 && !stage.isSource(i)) head = clip(head + " " + given[0]);
  const lines = [[head, 12, "ink", true]];
  if (nodes.specs[i].length) lines.push([text(nodes.specs[i][0]), 9.5, "faint", false]);
  if (nodes.value[i]) lines.push([clip(valueText(nodes.value[i])), 9.5, "blue", false]);
  if (nodes.grad[i]) lines.push([clip("∂ " + valueText(nodes.grad[i])), 9.5, "red", false]);
  return lines;
}

function groupLines(stage, g) {
  return [["▸ " + clip(stage.text(stage.groups.name[g])), 12, "ink", true], [stage.operations[g].toLocaleString() + (stage.operations[g] === 1 ? " operation" : " operations"), 9.5, "faint", false]];
}

// Items in topological order, edges among them with their counts, and their places.
function layOut() {
  const started = performance.now(), stage = state.data, { nodes, edges } = stage;
  const closed = standIns(stage), last = new Map();
  for (let i = 0; i < stage.count; i++) {
    const g = closed[nodes.group[i]];
    if (g && !stage.isSource(i)) last.set(g, i);
    else if (g && !last.has(g)) last.set(g, i);
  }
  const items = [], itemOf = new Int32Array(stage.count).fill(-1), groupItem = new Map();
  for (let i = 0; i < stage.count; i++) {
    const g = closed[nodes.group[i]];
    if (g && last.get(g) !== i) continue;
    const lines = g ? groupLines(stage, g) : linesOf(stage, i), [width, height] = boxOf(lines);
    const path = g ? stage.paths[stage.groups.parent[g]] : stage.paths[nodes.group[i]];
    if (g) groupItem.set(g, items.length); else itemOf[i] = items.length;
    items.push({ node: g ? -1 : i, group: g, path, lines, width, height, isSource: !g && stage.isSource(i), members: g ? [] : [i] });
  }
  for (let i = 0; i < stage.count; i++) {
    const g = closed[nodes.group[i]];
    if (g) { itemOf[i] = groupItem.get(g); items[itemOf[i]].members.push(i); }
  }
  const merged = new Map();
  for (let e = 0; e < edges.a.length; e++) {
    const a = itemOf[edges.a[e]], b = itemOf[edges.b[e]];
    if (a === b || a > b) continue;
    const key = a * items.length + b, inside = items[a].group || items[b].group;
    const known = merged.get(inside ? key : key + ":" + edges.slot[e]);
    if (known) { known.count++; known.gradient ||= !!edges.g[e]; known.all.push(e); }
    else merged.set(inside ? key : key + ":" + edges.slot[e], { a, b, count: 1, gradient: !!edges.g[e], all: [e] });
  }
  const lines = [...merged.values()];
  const placed = Layout.arrange(items, lines.map((one) => [one.a, one.b]), (g) => {
    measure.font = "bold 10.5px system-ui, 'DejaVu Sans', sans-serif";
    return measure.measureText("▾ " + clip(stage.text(stage.groups.name[g]), 60)).width + 16;
  });
  items.forEach((item, i) => { item.x = placed.x[i]; item.y = placed.y[i]; });
  lines.forEach((line, i) => {
    line.route = placed.routes[i];
    const xs = line.route.map((p) => p[0]), ys = line.route.map((p) => p[1]);
    line.box = [Math.min(...xs) - 6, Math.min(...ys), Math.max(...xs) + 6, Math.max(...ys)];
  });
  state.view = { items, lines, itemOf, frames: placed.frames, width: placed.width, height: placed.height };
  state.timing.layout = performance.now() - started;
  drawMinimap();
  state.dirty = true;
}

function relayout(keep) {
  // What is in the middle of interest stays where it is on the screen.
  const before = keep == null ? null : positionOf(keep);
  layOut();
  const after = keep == null ? null : positionOf(keep);
  if (before && after) {
    state.camera.x += after[0] - before[0];
    state.camera.y += after[1] - before[1];
  }
}

function positionOf(node) {
  if (!state.view) return null;
  const item = state.view.items[state.view.itemOf[node]];
  return item ? [item.x, item.y] : null;
}

// -- camera ------------------------------------------------------------------------------------------------------------

const toWorld = (px, py) => [state.camera.x + (px - canvas.clientWidth / 2) / state.camera.scale, state.camera.y + (py - canvas.clientHeight / 2) / state.camera.scale];

function fit() {
  const { width, height } = state.view;
  const room = canvas.clientWidth - ($("panel").hidden ? 0 : 348);
  // The legend has the top to itself.
  const above = $("legend").offsetHeight + 14;
  const scale = Math.min(room / (width + 60), (canvas.clientHeight - above) / (height + 30), 1.4);
  state.camera = { scale, x: width / 2 + (canvas.clientWidth - room) / 2 / scale, y: height / 2 - above / 2 / scale };
  state.dirty = true;
}

// A tall graph opens at its top, large enough to read.
function start() {
  fit();
  if (state.camera.scale < 0.45) {
    const scale = Math.max(state.camera.scale, Math.min(0.75, (canvas.clientWidth - 40) / (state.view.width + 60)));
    state.camera.scale = scale;
    const above = $("legend").offsetHeight + 24;
    state.camera.y = Math.min(state.view.height / 2, (canvas.clientHeight / 2 - above) / scale);
  }
}

function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
  const [x, y] = toWorld(px, py), scale = Math.min(6, Math.max(0.003, state.camera.scale * factor));
  state.camera = { scale, x: x - (px - canvas.clientWidth / 2) / scale, y: y - (py - canvas.clientHeight / 2) / scale };
  state.dirty = true;
}

// -- drawing -----------------------------------------------------------------------------------------------------------

const progress = (stage) => (state.step >= stage.steps.n.length ? Infinity : state.step);
const forwardDone = (stage, i, s) => stage.forwardStep[i] < 0 ? s >= 0 : stage.forwardStep[i] <= s;
const gradientDone = (stage, i, s) => {
  if (s === Infinity) return true;
  if (stage.nodes.output[i] && stage.backwardStep[i] >= 0) return s >= firstBackward(stage);
  return stage.backwardStep[i] >= 0 && contributions(stage, i, s) === stage.gradientUses[i];
};
const firstBackward = (stage) => (stage.firstBackward ??= stage.steps.b.indexOf(1));
function contributions(stage, i, s) {
  let done = 0;
  for (const e of stage.outgoing[i]) {
    const at = stage.backwardStep[stage.edges.b[e]];
    if (stage.edges.g[e] && at >= 0 && at <= s) done++;
  }
  return done;
}

function shade(item, stage, palette) {
  const kind = item.group ? "group" : stage.nodes.output[item.node] && !item.isSource ? "output" : stage.text(stage.nodes.kind[item.node]);
  if (state.color === "kind") return [palette.kinds[kind] || palette.kinds.operation, palette.borders[kind] || palette.borders.operation];
  if (state.color === "nan") {
    const bad = item.members.some((i) => stage.bad[i]);
    return [bad ? palette.red : palette.kinds.operation, bad ? palette.red : palette.borders.operation];
  }
  const t = heat(item, stage);
  if (t == null) return [palette.kinds.constant, palette.borders.constant];
  const hue = 210 - 200 * t;
  return [`hsl(${hue} 85% ${state.dark ? 22 + 26 * t : 92 - 34 * t}%)`, `hsl(${hue} 60% 45%)`];
}

// Between 0 and 1, on a logarithmic scale between the least and the most.
function heat(item, stage) {
  const column = state.color === "time" ? stage.seconds : state.color === "bytes" ? stage.keptBytes : stage.nodes.norm;
  stage.range ??= {};
  const range = (stage.range[state.color] ??= column.reduce(([low, high], v) => (v > 0 ? [Math.min(low, v), Math.max(high, v)] : [low, high]), [Infinity, 0]));
  let value = 0;
  for (const i of item.members) value = state.color === "norm" ? Math.max(value, column[i] || 0) : value + (column[i] || 0);
  if (!(value > 0)) return null;
  return range[1] > range[0] ? Math.min(1, Math.log(value / range[0]) / Math.log(range[1] / range[0])) : 0.5;
}

function trace(route, shift, curved) {
  pen.moveTo(route[0][0] + shift, route[0][1]);
  for (let k = 1; k < route.length; k++) {
    const [x0, y0] = route[k - 1], [x1, y1] = route[k];
    if (!curved || Math.abs(x0 - x1) < 0.5) pen.lineTo(x1 + shift, y1);
    else pen.bezierCurveTo(x0 + shift, (y0 + y1) / 2, x1 + shift, (y0 + y1) / 2, x1 + shift, y1);
  }
}

function arrow(x, y, size) {
  pen.moveTo(x, y);
  pen.lineTo(x - 3, y + size);
  pen.lineTo(x + 3, y + size);
  pen.closePath();
}

function paint() {
  const started = performance.now(), stage = state.data, palette = colors(), { scale } = state.camera;
  const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = palette.back;
  pen.fillRect(0, 0, w, h);
  const [left, top] = toWorld(0, 0), [right, bottom] = toWorld(w, h), s = progress(stage);
  pen.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * (w / 2 - state.camera.x * scale), ratio * (h / 2 - state.camera.y * scale));
  for (const frame of state.view.frames) {
    if (frame.x > right || frame.x + frame.width < left || frame.y > bottom || frame.y + frame.height < top) continue;
    pen.fillStyle = frame.path.length % 2 ? palette.frame : palette.frame2;
    pen.strokeStyle = palette.line;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(frame.x, frame.y, frame.width, frame.height, 9);
    pen.fill();
    pen.stroke();
    if (scale > NAME_SCALE) {
      pen.fillStyle = palette.faint;
      pen.font = "bold 10.5px system-ui, 'DejaVu Sans', sans-serif";
      pen.textAlign = "left";
      pen.fillText("▾ " + clip(stage.text(stage.groups.name[frame.path[frame.path.length - 1]]), 60), frame.x + 9, frame.y + 16);
    }
  }
  paintLines(stage, palette, s, [left, top, right, bottom]);
  for (const item of state.view.items) {
    if (item.x - item.width / 2 > right || item.x + item.width / 2 < left || item.y - item.height / 2 > bottom || item.y + item.height / 2 < top) continue;
    paintItem(item, stage, palette, s, scale);
  }
  paintMinimapFrame();
  state.timing.paint = performance.now() - started;
}

function paintLines(stage, palette, s, [left, top, right, bottom]) {
  const seen = state.view.lines.filter(({ box }) => box[0] <= right && box[2] >= left && box[1] <= bottom && box[3] >= top);
  const curved = seen.length < CURVES && state.camera.scale > 0.1, heads = curved && state.camera.scale > 0.3;
  const current = s < Infinity && s >= 0 ? stage.steps.n[s] : -1, back = s < Infinity && s >= 0 && stage.steps.b[s];
  const batches = new Map();
  const add = (color, width, dash, line, shift, up) => {
    const key = color + width + dash;
    if (!batches.has(key)) batches.set(key, { color, width, dash, list: [] });
    batches.get(key).list.push([line, shift, up]);
  };
  const onPath = state.path;
  for (const line of seen) {
    const red = line.gradient && stage.differentiated, shift = red ? APART : 0;
    const blocked = stage.differentiated && !line.gradient;
    const b = line.all.some((e) => forwardDone(stage, stage.edges.a[e], s)), marked = onPath && line.all.some((e) => onPath.has(e));
    const near = state.selected && (state.view.items[line.a] === state.selected || state.view.items[line.b] === state.selected);
    const active = current >= 0 && line.all.some((e) => stage.edges.b[e] === current);
    const width = (active && !back) || near ? 2.6 : 1.4;
    add(marked ? palette.pick : !b ? palette.line : blocked ? palette.grey : palette.blue, marked ? 4 : width, blocked ? "d" : "", line, -shift, false);
    if (red) {
      const r = s === Infinity || line.all.some((e) => stage.edges.g[e] && stage.backwardStep[stage.edges.b[e]] >= 0 && stage.backwardStep[stage.edges.b[e]] <= s);
      if (r) add(palette.red, (active && back) || near ? 2.6 : 1.4, "", line, shift, true);
      else if (s === Infinity) add(palette.line, 1.4, "", line, shift, true);
    }
  }
  for (const { color, width, dash, list } of batches.values()) {
    pen.strokeStyle = pen.fillStyle = color;
    pen.lineWidth = Math.max(width, 0.6 / state.camera.scale);
    pen.setLineDash(dash ? [4, 4] : []);
    pen.beginPath();
    for (const [line, shift] of list) trace(line.route, shift, curved);
    pen.stroke();
    if (!heads) continue;
    pen.setLineDash([]);
    pen.beginPath();
    for (const [line, shift, up] of list) {
      const [x, y] = up ? line.route[0] : line.route[line.route.length - 1];
      arrow(x + shift, y, up ? 6.5 : -6.5);
    }
    pen.fill();
  }
  pen.setLineDash([]);
  if (state.camera.scale > 0.5) {
    pen.font = "9px system-ui, 'DejaVu Sans', sans-serif";
    pen.fillStyle = palette.faint;
    pen.textAlign = "left";
    for (const line of seen) {
      if (line.count > 1) pen.fillText("×" + line.count, line.route[0][0] + 7, line.route[0][1] + 12);
    }
  }
}

function paintItem(item, stage, palette, s, scale) {
  const { x, y, width, height } = item, faded = fadedOut(item, stage);
  const done = item.members.some((i) => forwardDone(stage, i, s));
  const current = s < Infinity && s >= 0 && item.members.includes(stage.steps.n[s]);
  let [fill, border] = shade(item, stage, palette);
  if (!done) [fill, border] = [palette.pending, palette.line];
  pen.globalAlpha = faded ? 0.18 : 1;
  pen.fillStyle = fill;
  pen.strokeStyle = current ? (stage.steps.b[s] ? palette.red : palette.blue) : item === state.selected ? palette.pick : border;
  pen.lineWidth = current || item === state.selected ? 3.5 : item === state.hover ? 2.2 : 1.2;
  if (scale < 0.08) {
    pen.fillStyle = done ? border : fill;
    pen.fillRect(x - width / 2, y - height / 2, width, height);
  } else {
    pen.beginPath();
    pen.roundRect(x - width / 2, y - height / 2, width, height, item.isSource ? 13 : 5);
    pen.fill();
    pen.stroke();
  }
  if (scale > NAME_SCALE) {
    let at = y - height / 2 + 5;
    pen.textAlign = "center";
    for (const [text, size, tone, bold] of item.lines) {
      at += size + 4.5;
      if (!bold && scale < TEXT_SCALE) continue;
      let shown = text;
      if (tone === "blue" && !done) continue;
      if (tone === "red" && !gradientDone(stage, item.node, s)) {
        const parts = contributions(stage, item.node, s);
        if (!parts) continue;
        shown = `∂ ${parts} of ${stage.gradientUses[item.node]} added`;
      }
      pen.font = (bold ? "bold " : "") + size + "px system-ui, 'DejaVu Sans', sans-serif";
      pen.fillStyle = state.color === "nan" && fill === palette.red ? "#ffffff" : palette[tone];
      pen.fillText(shown, x, at - 3.5);
    }
  }
  pen.globalAlpha = 1;
}

const fadedOut = (item, stage) => state.hidden.size > 0 && item.members.every((i) => state.hidden.has(stage.nodes.op[i]));

// -- minimap and timeline ------------------------------------------------------------------------------------------------

const mini = $("minimap"), miniPen = mini.getContext("2d");
let miniImage = null;

function drawMinimap() {
  const { width, height, items, frames } = state.view, ratio = window.devicePixelRatio || 1;
  const scale = Math.min(150 / Math.max(width, 1), 190 / Math.max(height, 1));
  const w = Math.max(24, width * scale), h = Math.max(24, height * scale);
  mini.style.width = w + "px";
  mini.style.height = h + "px";
  mini.width = w * ratio;
  mini.height = h * ratio;
  miniImage = document.createElement("canvas");
  miniImage.width = mini.width;
  miniImage.height = mini.height;
  const p = miniImage.getContext("2d"), palette = colors();
  p.scale(ratio * scale, ratio * scale);
  for (const frame of frames) { p.fillStyle = frame.path.length % 2 ? palette.frame2 : palette.line; p.fillRect(frame.x, frame.y, frame.width, frame.height); }
  for (const item of items) {
    p.fillStyle = item.group ? palette.borders.group : palette.borders.operation;
    p.fillRect(item.x - item.width / 2, item.y - item.height / 2, Math.max(item.width, 1 / scale), Math.max(item.height, 1 / scale));
  }
  state.view.miniScale = scale;
}

function paintMinimapFrame() {
  const ratio = window.devicePixelRatio || 1, scale = state.view.miniScale * ratio, palette = colors();
  miniPen.clearRect(0, 0, mini.width, mini.height);
  miniPen.drawImage(miniImage, 0, 0);
  const [left, top] = toWorld(0, 0), [right, bottom] = toWorld(canvas.clientWidth, canvas.clientHeight);
  miniPen.strokeStyle = palette.pick;
  miniPen.lineWidth = 2;
  miniPen.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
}

let chart = { image: null, key: "" };

// The picture of the memory is made once; a step only moves the mark on it.
function drawTimeline() {
  const line = $("timeline"), ratio = window.devicePixelRatio || 1, w = line.clientWidth, h = line.clientHeight;
  const p = line.getContext("2d"), palette = colors(), n = state.data.steps.n.length;
  const key = [state.stage, state.dark, w, h, ratio].join();
  if (chart.key !== key) {
    line.width = w * ratio;
    line.height = h * ratio;
    chart = { image: n ? memoryChart(w, h, ratio) : null, key };
  }
  p.setTransform(1, 0, 0, 1, 0, 0);
  p.clearRect(0, 0, line.width, line.height);
  if (!chart.image) return;
  p.drawImage(chart.image, 0, 0);
  if (state.step < n) {
    const x = ((state.step + 0.5) / n) * w;
    p.scale(ratio, ratio);
    p.strokeStyle = palette.pick;
    p.lineWidth = 2;
    p.beginPath();
    p.moveTo(x, 0);
    p.lineTo(x, h);
    p.stroke();
  }
}

function memoryChart(w, h, ratio) {
  const image = document.createElement("canvas"), p = image.getContext("2d"), palette = colors(), { v, g, b } = state.data.steps, n = v.length;
  image.width = w * ratio;
  image.height = h * ratio;
  p.scale(ratio, ratio);
  let peak = 1, peakAt = 0;
  for (let i = 0; i < n; i++) if (v[i] + g[i] > peak) { peak = v[i] + g[i]; peakAt = i; }
  // A column of pixels shows the step of its own that needs the most.
  const columns = Math.min(n, Math.max(1, Math.round(w))), most = new Array(columns).fill(-1);
  for (let i = 0; i < n; i++) {
    const c = Math.floor((i * columns) / n);
    if (most[c] < 0 || v[i] + g[i] > v[most[c]] + g[most[c]]) most[c] = i;
  }
  const x = (c) => (c / columns) * w, y = (bytes) => h - 2 - (bytes / peak) * (h - 16);
  const area = (top, base, color) => {
    p.fillStyle = color;
    p.beginPath();
    p.moveTo(0, y(base(most[0])));
    for (let c = 0; c < columns; c++) { p.lineTo(x(c), y(top(most[c]))); p.lineTo(x(c + 1), y(top(most[c]))); }
    for (let c = columns - 1; c >= 0; c--) { p.lineTo(x(c + 1), y(base(most[c]))); p.lineTo(x(c), y(base(most[c]))); }
    p.fill();
  };
  p.globalAlpha = 0.75;
  area((i) => v[i], () => 0, palette.blue);
  area((i) => v[i] + g[i], (i) => v[i], palette.red);
  p.globalAlpha = 1;
  const turn = b.indexOf(1), atTurn = (turn / n) * w, atPeak = (peakAt / n) * w;
  p.strokeStyle = palette.grey;
  if (turn > 0) { p.beginPath(); p.moveTo(atTurn, 0); p.lineTo(atTurn, h); p.stroke(); }
  p.fillStyle = palette.faint;
  p.font = "10px system-ui, sans-serif";
  p.textAlign = atPeak > w - 120 ? "right" : "left";
  p.fillText("peak " + bytesText(peak), atPeak + (p.textAlign === "right" ? -3 : 3), 10);
  return image;
}

// -- playing -----------------------------------------------------------------------------------------------------------

function go(step) {
  const { steps, nodes } = state.data, n = steps.n.length;
  state.step = step >= n ? Infinity : Math.max(-1, step);
  const now = $("now");
  if (state.step === Infinity) now.textContent = n ? `${n.toLocaleString()} steps` : "";
  else if (state.step < 0) now.textContent = "before the first step";
  else {
    const i = steps.n[state.step];
    now.textContent = `${state.step + 1}/${n} ${steps.b[state.step] ? "∂ " : ""}${state.data.text(nodes.name[i])} · ${bytesText(steps.v[state.step] + steps.g[state.step])}`;
  }
  drawTimeline();
  state.dirty = true;
}

// The operation that runs stays in sight.
function follow() {
  if (state.step < 0 || state.step === Infinity) return;
  const at = positionOf(state.data.steps.n[state.step]);
  if (!at) return;
  const [left, top] = toWorld(60, 50), [right, bottom] = toWorld(canvas.clientWidth - ($("panel").hidden ? 60 : 400), canvas.clientHeight - 60);
  if (at[0] < left || at[0] > right) state.camera.x = at[0];
  if (at[1] < top || at[1] > bottom) state.camera.y = at[1];
}

let playedAt = 0;
function play(on = !state.playing) {
  state.playing = on;
  $("play").textContent = on ? "❚❚ pause" : "▶ play";
  if (on && (state.step === Infinity || state.step >= state.data.steps.n.length - 1)) go(-1);
  playedAt = performance.now();
}

function tick(now) {
  if (state.playing) {
    const interval = 1000 / 2 ** +$("speed").value, n = state.data.steps.n.length, stepsNow = Math.floor((now - playedAt) / interval);
    if (stepsNow > 0) {
      playedAt += stepsNow * interval;
      const next = (state.step === Infinity ? n : state.step) + stepsNow;
      if (next >= n) { go(n); play(false); } else { go(next); follow(); }
    }
  }
  if (state.dirty && state.view) {
    state.dirty = false;
    paint();
    state.timing.frames.push(now);
    if (state.timing.frames.length > 600) state.timing.frames.shift();
  }
  requestAnimationFrame(tick);
}

// -- groups, selection, search -----------------------------------------------------------------------------------------

function itemAt(px, py) {
  const [x, y] = toWorld(px, py), { items } = state.view;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i];
    if (Math.abs(x - item.x) <= item.width / 2 && Math.abs(y - item.y) <= item.height / 2) return item;
  }
  return null;
}

function frameAt(px, py) {
  const [x, y] = toWorld(px, py);
  return [...state.view.frames].reverse().find((f) => x >= f.x && x <= f.x + f.width && y >= f.y && y <= f.y + Layout.HEAD) || null;
}

function toggle(g) {
  const stage = state.data, inside = (i) => stage.paths[stage.nodes.group[i]].includes(g);
  const keep = stage.nodes.group.findIndex((_, i) => inside(i));
  if (state.open.has(g)) state.open.delete(g); else state.open.add(g);
  const selected = state.selected && state.selected.members[0];
  relayout(keep);
  if (selected != null) state.selected = state.view.items[state.view.itemOf[selected]];
}

// Open everything around a node, and bring it into the middle.
function reveal(node) {
  const path = state.data.paths[state.data.nodes.group[node]], closed = path.filter((g) => !state.open.has(g));
  if (closed.length) { closed.forEach((g) => state.open.add(g)); layOut(); }
  const at = positionOf(node);
  if (state.camera.scale < 0.6) state.camera.scale = 1;
  state.camera.x = at[0] + ($("panel").hidden ? 0 : 174 / state.camera.scale);
  state.camera.y = at[1];
  state.dirty = true;
}

function select(item) {
  state.selected = item;
  state.dirty = true;
  const panel = $("panel");
  panel.hidden = !item;
  if (item) fillPanel(panel, item);
}

function goTo(node) {
  $("panel").hidden = false;
  reveal(node);
  select(state.view.items[state.view.itemOf[node]]);
}

function search(text) {
  const stage = state.data, words = text.toLowerCase().split(/\s+/).filter(Boolean), found = [];
  if (!words.length) return found;
  for (let i = 0; i < stage.count && found.length < 60; i++) {
    const n = stage.nodes, group = stage.paths[n.group[i]].map((g) => stage.text(stage.groups.name[g])).join(".");
    const all = [n.name[i], n.label[i], n.text[i], n.line[i], n.code[i]].map(stage.text).join(" ").toLowerCase() + " " + group.toLowerCase();
    if (words.every((word) => all.includes(word))) found.push(i);
  }
  return found;
}

let chosen = 0, matches = [];
function showResults() {
  const box = $("results"), stage = state.data;
  matches = search($("search").value);
  chosen = 0;
  box.replaceChildren(...matches.map((i, k) => {
    const row = document.createElement("div");
    row.className = k === 0 ? "chosen" : "";
    row.textContent = [stage.text(stage.nodes.label[i]) || stage.text(stage.nodes.name[i]), stage.paths[stage.nodes.group[i]].map((g) => stage.text(stage.groups.name[g])).join(".")].filter(Boolean).join("  ·  ");
    row.onclick = () => { box.hidden = true; goTo(i); };
    return row;
  }));
  box.hidden = !$("search").value;
  if (!matches.length) box.textContent = "nothing found";
}

// Edges on some way from one node to another: what is both after the one and before the other.
function pathBetween(from, to) {
  const stage = state.data, after = new Set([from]), before = new Set([to]);
  const [a, b] = from < to ? [from, to] : [to, from];
  after.clear(); before.clear(); after.add(a); before.add(b);
  for (let i = a; i <= b; i++) if (after.has(i)) for (const e of stage.outgoing[i]) after.add(stage.edges.b[e]);
  for (let i = b; i >= a; i--) if (before.has(i)) for (const e of stage.incoming[i]) before.add(stage.edges.a[e]);
  const found = new Set();
  for (let e = 0; e < stage.edges.a.length; e++) {
    if ([stage.edges.a[e], stage.edges.b[e]].every((i) => after.has(i) && before.has(i))) found.add(e);
  }
  return found;
}

// -- panel -------------------------------------------------------------------------------------------------------------

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text != null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function table(rows) {
  const made = element("table");
  for (const [name, value] of rows) {
    const row = made.insertRow();
    row.insertCell().textContent = name;
    const cell = row.insertCell();
    if (value instanceof Node) cell.append(value); else cell.textContent = value;
  }
  return made;
}

function link(node, extra = "") {
  const stage = state.data, made = element("span", (stage.text(stage.nodes.label[node]) || stage.text(stage.nodes.name[node])) + extra, "link");
  made.onclick = () => goTo(node);
  return made;
}

function button(text, action) {
  const made = element("button", text);
  made.onclick = action;
  return made;
}

function arrayPart(title, value, tone) {
  const part = element("div");
  part.append(element("h3", title));
  if (!value) { part.append(element("div", "not recorded")); return part; }
  const [low, high, mean, deviation, nans, infinities, size] = value.s;
  if (value.v && value.v.length === 1) part.append(element("pre", show(value.v[0]), tone));
  else {
    const rows = [["min, max", `${show(low)}, ${show(high)}`], ["mean ± deviation", `${show(mean)} ± ${show(deviation)}`], ["numbers", size.toLocaleString()]];
    if (nans + infinities) rows.push(["not finite", `${nans} NaN, ${infinities} inf`]);
    part.append(table(rows));
    if (value.v) part.append(element("pre", value.v.map(show).join("  "), tone));
    if (value.h) part.append(histogram(value.h, tone));
  }
  return part;
}

function histogram(counts, tone) {
  const made = element("canvas"), p = made.getContext("2d"), most = Math.max(...counts);
  made.width = 640;
  made.height = 92;
  p.fillStyle = tone === "red" ? colors().red : colors().blue;
  counts.forEach((n, i) => { const h = (n / most) * 90; p.fillRect((i * 640) / counts.length + 1, 92 - h, 640 / counts.length - 2, h); });
  return made;
}

function fillPanel(panel, item) {
  panel.replaceChildren();
  const close = button("×", () => select(null));
  close.className = "close";
  panel.append(close);
  if (item.group) fillGroup(panel, item); else fillNode(panel, item.node);
  panel.scrollTop = 0;
}

function fillGroup(panel, item) {
  const stage = state.data, sum = (column) => item.members.reduce((total, i) => total + (column[i] || 0), 0);
  panel.append(element("h2", stage.paths[item.group].map((g) => stage.text(stage.groups.name[g])).join(".")));
  panel.append(table([
    ["operations", stage.operations[item.group].toLocaleString()], ["flops", countText(sum(stage.nodes.flops))],
    ["kept", bytesText(sum(stage.keptBytes))], ["time", timeText(sum(stage.seconds))],
  ]));
  const buttons = element("div", null, "buttons");
  buttons.append(button("open (e)", () => { toggle(item.group); select(null); }));
  panel.append(buttons);
}

function fillNode(panel, i) {
  const stage = state.data, { nodes, edges } = stage, text = stage.text;
  panel.append(element("h2", text(nodes.label[i]) && stage.isSource(i) ? text(nodes.label[i]) : text(nodes.text[i])));
  const where = stage.paths[nodes.group[i]].map((g) => text(stage.groups.name[g])).join(".");
  panel.append(table([["kind", (nodes.output[i] ? "output, " : "") + text(nodes.kind[i])], ...(where ? [["in", where]] : []), ["result", nodes.specs[i].map(text).join(", ")]]));
  const rules = stage.formulas[nodes.op[i]];
  if (rules) {
    panel.append(element("h3", "forward"), element("pre", rules.value, "blue"), element("h3", "backward: g is the gradient of the result"));
    for (const [name, rule] of Object.entries(rules)) if (name !== "value") panel.append(element("pre", `${name} = ${rule}`, "red"));
  }
  if (nodes.inside[i].length) panel.append(element("div", "It carries a graph of its own, which can be entered below."));
  if (nodes.replayed[i]) panel.append(element("div", "A checkpoint: its function is run again in the backward pass, instead of keeping what is inside."));
  if (!stage.isSource(i)) {
    panel.append(element("h3", "operands"));
    const rows = [], names = nodes.names[i].map(text);
    for (const e of stage.incoming[i]) rows.push([edges.slot[e], names[edges.slot[e]] || "#" + edges.slot[e], link(edges.a[e], "  " + text(edges.spec[e]) + (stage.differentiated && !edges.g[e] ? "  no gradient" : ""))]);
    nodes.operands[i].map(text).forEach((one, slot) => { if (one) rows.push([slot, names[slot] || "#" + slot, one]); });
    panel.append(table(rows.sort((a, b) => a[0] - b[0]).map(([, name, value]) => [name, value])));
  }
  if (stage.outgoing[i].length) {
    panel.append(element("h3", stage.outgoing[i].length > 1 ? "used by (gradients are added here)" : "used by"));
    for (const e of stage.outgoing[i].slice(0, 30)) { const row = element("div"); row.append(link(edges.b[e])); panel.append(row); }
  }
  panel.append(arrayPart("value", nodes.value[i], "blue"));
  if (stage.differentiated) panel.append(arrayPart("gradient", nodes.grad[i], "red"));
  panel.append(element("h3", "cost"));
  const cost = [["result", bytesText(nodes.bytes[i])], ["flops", countText(nodes.flops[i])], ["moved", bytesText(nodes.moved[i])]];
  if (nodes.forward[i] != null) cost.push(["forward", timeText(nodes.forward[i])]);
  if (nodes.backward[i] != null) cost.push(["backward", timeText(nodes.backward[i])]);
  panel.append(table(cost));
  if (nodes.kept[i].length) {
    panel.append(element("h3", "kept for the backward pass"));
    panel.append(table(nodes.kept[i].map(([role, spec, bytes, leaf]) => [text(role), `${text(spec)}: ${leaf ? "a leaf's own value" : bytes ? bytesText(bytes) : "shared, nothing more"}`])));
  }
  if (text(nodes.line[i])) panel.append(element("h3", "made at"), element("div", text(nodes.line[i]) + " in " + text(nodes.function[i])), element("pre", text(nodes.code[i])));
  panel.append(nodeButtons(i));
}

function nodeButtons(i) {
  const stage = state.data, buttons = element("div", null, "buttons");
  if (stage.forwardStep[i] >= 0) buttons.append(button("go to forward step", () => { play(false); go(stage.forwardStep[i]); }));
  if (stage.backwardStep[i] >= 0) buttons.append(button("go to backward step", () => { play(false); go(stage.backwardStep[i]); }));
  buttons.append(button("path from here", () => { state.pathFrom = i; state.path = null; state.dirty = true; }));
  if (state.pathFrom != null && state.pathFrom !== i) buttons.append(button("path to here", () => { state.path = pathBetween(state.pathFrom, i); state.dirty = true; }));
  if (state.path) buttons.append(button("no path", () => { state.path = state.pathFrom = null; state.dirty = true; }));
  for (const number of stage.nodes.inside[i]) buttons.append(button("enter: " + stages[number].name, () => setStage(number)));
  const inside = stage.nodes.group[i];
  if (inside) buttons.append(button("close group", () => { toggle(inside); select(null); }));
  return buttons;
}

// -- controls ------------------------------------------------------------------------------------------------------------

const KEYS = [
  ["space", "play or pause"], ["← →", "one step"], ["home end", "first step, everything"], ["/", "search; enter goes there"], ["f", "fit"], ["+ -", "zoom"],
  ["e", "open or close the chosen group"], ["o c", "open all, close all groups"], ["n p", "next or previous operation"], ["t", "dark or light"], ["esc", "close"], ["double click", "open or close a group"],
];

function legend() {
  const palette = colors(), items = [];
  const entry = (color, text) => { const i = element("i"); i.style.background = color; const one = element("span"); one.append(i, text); items.push(one); };
  if (state.color === "kind") for (const kind of ["leaf", "parameter", "operation", "output", "group"]) entry(palette.borders[kind], kind);
  else if (state.color === "nan") entry(palette.red, "has NaN or infinity");
  else { entry("hsl(210 85% 70%)", "little"); entry("hsl(110 85% 60%)", "·"); entry("hsl(10 85% 58%)", "much (logarithmic)"); }
  entry(palette.blue, "data forward");
  if (state.data.differentiated) { entry(palette.red, "gradient backward"); entry(palette.grey, "no gradient"); }
  $("legend").replaceChildren(...items);
}

function kinds() {
  const stage = state.data, counts = new Map();
  for (const op of stage.nodes.op || []) counts.set(op, (counts.get(op) || 0) + 1);
  $("kinds").replaceChildren(...[...counts].sort((a, b) => b[1] - a[1]).map(([op, count]) => {
    const label = element("label"), box = element("input");
    box.type = "checkbox";
    box.checked = !state.hidden.has(op);
    box.onchange = () => { if (box.checked) state.hidden.delete(op); else state.hidden.add(op); state.dirty = true; };
    label.append(box, `${stage.text(op)} (${count.toLocaleString()})`);
    return label;
  }));
}

function theme(dark = !state.dark) {
  state.dark = dark;
  document.documentElement.classList.toggle("dark", dark);
  legend();
  drawMinimap();
  drawTimeline();
  state.dirty = true;
}

function setStage(number) {
  state.stage = number;
  $("stage").value = number;
  state.data = stages[number].strings && stages[number].text ? stages[number] : prepare(stages[number]);
  state.open = firstOpen(state.data);
  state.path = state.pathFrom = state.hover = null;
  state.hidden.clear();
  select(null);
  layOut();
  legend();
  start();
  go(Infinity);
  kinds();
  const stage = state.data;
  $("title").textContent = stage.name;
  $("summary").textContent = `${stage.count.toLocaleString()} nodes, ${stage.edges.a.length.toLocaleString()} edges`;
}

function openAll() {
  for (let g = 1; g < state.data.groups.parent.length; g++) state.open.add(g);
  layOut();
  fit();
}

function closeAll() {
  state.open.clear();
  select(null);
  layOut();
  fit();
}

function step(by) {
  play(false);
  const n = state.data.steps.n.length;
  go((state.step === Infinity ? n : state.step) + by);
  follow();
}

function onKey(event) {
  if (event.target.matches("input[type=search]")) {
    if (event.key === "Enter" && matches.length) { $("results").hidden = true; event.target.blur(); goTo(matches[chosen]); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : matches.length - 1)) % Math.max(matches.length, 1);
      [...$("results").children].forEach((row, k) => row.classList.toggle("chosen", k === chosen));
      event.preventDefault();
    }
    if (event.key === "Escape") { $("results").hidden = true; event.target.blur(); canvas.focus(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const group = state.selected && (state.selected.group || state.data.nodes.group[state.selected.node]);
  const actions = {
    " ": () => play(), ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => { play(false); go(-1); }, End: () => { play(false); go(Infinity); },
    "/": () => $("search").focus(), f: fit, "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), t: () => theme(), c: closeAll, o: openAll,
    "?": () => { $("keys").hidden = !$("keys").hidden; }, e: () => { if (group) { toggle(group); select(null); } },
    n: () => { if (state.selected) goTo(Math.min(state.data.count - 1, state.selected.members.at(-1) + 1)); },
    p: () => { if (state.selected) goTo(Math.max(0, state.selected.members[0] - 1)); },
    Escape: () => { $("keys").hidden = $("kinds").hidden = $("results").hidden = true; select(null); state.path = state.pathFrom = null; },
  };
  if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
}

function listen() {
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
      if (drag.moved || Math.abs(dx) + Math.abs(dy) > 4) {
        drag = { x: event.clientX, y: event.clientY, moved: true };
        canvas.classList.add("dragging");
        state.camera.x -= dx / state.camera.scale;
        state.camera.y -= dy / state.camera.scale;
        state.dirty = true;
      }
      return;
    }
    const over = itemAt(event.offsetX, event.offsetY);
    if (over !== state.hover) { state.hover = over; canvas.style.cursor = over ? "pointer" : ""; state.dirty = true; }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) select(itemAt(event.offsetX, event.offsetY));
    drag = null;
    canvas.classList.remove("dragging");
  });
  canvas.addEventListener("dblclick", (event) => {
    const item = itemAt(event.offsetX, event.offsetY), frame = item ? null : frameAt(event.offsetX, event.offsetY);
    const g = item ? item.group : frame && frame.path[frame.path.length - 1];
    if (g) { toggle(g); select(null); }
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
  }, { passive: false });
  const toMini = (event) => {
    if (event.buttons !== 1) return;
    state.camera.x = event.offsetX / state.view.miniScale;
    state.camera.y = event.offsetY / state.view.miniScale;
    state.dirty = true;
  };
  mini.addEventListener("pointerdown", toMini);
  mini.addEventListener("pointermove", toMini);
  const seek = (event) => {
    if (event.buttons !== 1) return;
    play(false);
    go(Math.floor((event.offsetX / $("timeline").clientWidth) * state.data.steps.n.length));
    follow();
  };
  $("timeline").addEventListener("pointerdown", seek);
  $("timeline").addEventListener("pointermove", seek);
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", () => { drawTimeline(); state.dirty = true; });
  $("search").oninput = showResults;
  $("color").onchange = () => { state.color = $("color").value; legend(); state.dirty = true; };
  $("stage").onchange = () => setStage(+$("stage").value);
  $("filter").onclick = () => { $("kinds").hidden = !$("kinds").hidden; };
  $("fold").onclick = closeAll;
  $("fit").onclick = fit;
  $("theme").onclick = () => theme();
  $("help").onclick = () => { $("keys").hidden = !$("keys").hidden; };
  $("play").onclick = () => play();
  $("back").onclick = () => step(-1);
  $("next").onclick = () => step(1);
  $("end").onclick = () => { play(false); go(Infinity); };
}

async function main() {
  stages = (await unpack()).stages;
  $("stage").hidden = stages.length < 2;
  stages.forEach((stage, i) => { const option = element("option", stage.name); option.value = i; $("stage").append(option); });
  $("keys").append(table(KEYS));
  listen();
  setStage(0);
  theme(window.matchMedia("(prefers-color-scheme: dark)").matches);
  paint();
  state.timing.ready = performance.now();
  requestAnimationFrame(tick);
  window.__graph = { state, stages, go, play, toggle, goTo, search, itemAt, positionOf, pathBetween, openAll, closeAll, fit, zoom, setStage, Layout, ready: true };
}

main();
