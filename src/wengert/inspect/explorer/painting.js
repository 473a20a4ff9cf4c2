// What is seen: the graph, the minimap, the memory timeline.

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
  const change = item.node >= 0 ? stage.nodes.change[item.node] : 0;
  if (state.color === "kind" && change) return [palette.changed[change], change === 1 ? palette.red : palette.green];
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
    else {
      // Where both run almost level, the gradient's line keeps its distance by its height.
      const middle = (y0 + y1) / 2 - Math.sign((x1 - x0) * (y1 - y0)) * shift * Math.min(1, Math.abs(x1 - x0) / 60);
      pen.bezierCurveTo(x0 + shift, middle, x1 + shift, middle, x1 + shift, y1);
    }
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
  }
  paintLines(stage, palette, s, [left, top, right, bottom]);
  if (scale > NAME_SCALE) paintFrameNames(stage, palette, [left, top, right, bottom]);
  for (const item of state.view.items) {
    if (item.x - item.width / 2 > right || item.x + item.width / 2 < left || item.y - item.height / 2 > bottom || item.y + item.height / 2 < top) continue;
    paintItem(item, stage, palette, s, scale);
  }
  paintMinimapFrame();
  state.timing.paint = performance.now() - started;
}

// Over the lines, on a ground of their own.
function paintFrameNames(stage, palette, [left, top, right, bottom]) {
  pen.font = "bold 10.5px system-ui, 'DejaVu Sans', sans-serif";
  pen.textAlign = "left";
  for (const frame of state.view.frames) {
    if (frame.x > right || frame.x + frame.width < left || frame.y > bottom || frame.y + Layout.HEAD < top) continue;
    const name = "▾ " + clip(stage.text(stage.groups.name[frame.path[frame.path.length - 1]]), 60);
    pen.globalAlpha = 0.85;
    pen.fillStyle = frame.path.length % 2 ? palette.frame : palette.frame2;
    pen.fillRect(frame.x + 6, frame.y + 5, pen.measureText(name).width + 6, 15);
    pen.globalAlpha = 1;
    pen.fillStyle = palette.faint;
    pen.fillText(name, frame.x + 9, frame.y + 16);
  }
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
    if (item.node >= 0 && (stage.nodes.replayed[item.node] || stage.nodes.change[item.node] === 1)) pen.setLineDash([6, 3]);
    pen.stroke();
    pen.setLineDash([]);
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
