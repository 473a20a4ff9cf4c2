// Playing, choosing, searching, keys and buttons.

// -- playing -----------------------------------------------------------------------------------------------------------

function go(step) {
  const { steps, nodes } = state.data, n = steps.n.length;
  state.step = step >= n ? Infinity : Math.max(-1, step);
  const now = $("now");
  if (state.step === Infinity) now.textContent = n ? `${n.toLocaleString()} steps` : "";
  else if (state.step < 0) now.textContent = "before the first step";
  else {
    const i = steps.n[state.step];
    const replay = steps.b[state.step] && nodes.replayed[i] ? "↻ " : "";
    now.textContent = `${state.step + 1}/${n} ${steps.b[state.step] ? "∂ " : ""}${replay}${state.data.text(nodes.name[i])} · ${bytesText(steps.v[state.step] + steps.g[state.step])}`;
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

// -- controls ------------------------------------------------------------------------------------------------------------

const KEYS = [
  ["space", "play or pause"], ["← →", "one step"], ["home end", "first step, everything"], ["/", "search; enter goes there"], ["f", "fit"], ["+ -", "zoom"],
  ["e", "open or close the chosen group"], ["o c", "open all, close all groups"], ["n p", "next or previous operation"], ["t", "dark or light"], ["esc", "close"], ["double click", "open or close a group"],
];

function legend() {
  const palette = colors(), items = [];
  const entry = (color, text, shape = "") => { const i = element("i", null, shape); i.style.background = color; const one = element("span"); one.append(i, text); items.push(one); };
  if (state.color === "kind") for (const kind of ["leaf", "parameter", "operation", "output", "group"]) entry(palette.borders[kind], kind);
  else if (state.color === "nan") entry(palette.red, "has NaN or infinity");
  else { entry("hsl(210 85% 70%)", "little"); entry("hsl(110 85% 60%)", "·"); entry("hsl(10 85% 58%)", "much (logarithmic)"); }
  if (state.data.nodes.change?.some(Boolean)) { entry(palette.red, "taken away"); entry(palette.green, "new"); }
  if (state.data.nodes.replayed?.some(Boolean)) entry(palette.replay, "↻ replayed");
  entry(palette.blue, "data forward", "edge");
  if (state.data.differentiated) { entry(palette.red, "gradient backward", "edge"); entry(palette.grey, "no gradient", "edge"); }
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
