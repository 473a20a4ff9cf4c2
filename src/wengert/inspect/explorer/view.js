// The explorer: one canvas for the graph, one for the minimap, one for the memory timeline; everything else is DOM.
// Text of the user's reaches the page through textContent and fillText only.

const $ = (id) => document.getElementById(id);
const FIRST_OPEN = 160, TEXT_SCALE = 0.42, NAME_SCALE = 0.2, APART = 3.5;
const CURVES = 1500, READABLE = 0.85;

const LIGHT = {
  blue: "#2563eb", red: "#dc2626", grey: "#94a3b8", ink: "#0f172a", faint: "#64748b", back: "#ffffff", frame: "#f8fafc",
  frame2: "#eef2f7", line: "#cbd5e1", replay: "#b45309", green: "#16a34a", changed: ["", "#fee2e2", "#dcfce7"], pick: "#f59e0b", pending: "#f1f5f9",
  kinds: { leaf: "#fef3c7", parameter: "#dcfce7", constant: "#f1f5f9", operation: "#ffffff", group: "#e0e7ff", output: "#ede9fe" },
  borders: { leaf: "#d97706", parameter: "#16a34a", constant: "#94a3b8", operation: "#64748b", group: "#6366f1", output: "#7c3aed" },
};
const DARK = {
  blue: "#60a5fa", red: "#f87171", grey: "#64748b", ink: "#e2e8f0", faint: "#94a3b8", back: "#0b1120", frame: "#111a2e",
  frame2: "#16213a", line: "#334155", replay: "#fbbf24", green: "#22c55e", changed: ["", "#45141c", "#12351f"], pick: "#fbbf24", pending: "#0f172a",
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

// Many zeros after the point are hard to read: 1.3e-5, not 0.000013.
function show(number, digits = 4) {
  if (typeof number !== "number") return String(number);
  const text = String(+number.toPrecision(digits));
  return /^-?0\.000/.test(text) ? number.toExponential(digits - 1).replace(/\.?0+e/, "e") : text;
}
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
  const short = (number) => show(number, 3);
  if (value.v && value.v.length <= 4) return "[" + value.v.map(short).join(", ") + "]";
  return short(value.s[0]) + " … " + short(value.s[1]);
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
  if (nodes.replayed[i]) lines.push([replayText(stage, i), 9.5, "replay", false]);
  if (nodes.value[i]) lines.push([clip(valueText(nodes.value[i])), 9.5, "blue", false]);
  if (nodes.grad[i]) lines.push([clip("∂ " + valueText(nodes.grad[i])), 9.5, "red", false]);
  return lines;
}

// What the backward pass runs again for a checkpoint.
function replayText(stage, i) {
  const inside = stages[stage.nodes.inside[i][0]];
  if (!inside) return "↻ replayed";
  const count = inside.nodes.op.filter((_, k) => inside.strings[inside.nodes.kind[k]] === "operation").length;
  return `↻ replays ${count.toLocaleString()} operation${count === 1 ? "" : "s"}`;
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
  if (state.camera.scale < READABLE) {
    const scale = Math.max(state.camera.scale, Math.min(READABLE, (canvas.clientWidth - 40) / (state.view.width + 60)));
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
