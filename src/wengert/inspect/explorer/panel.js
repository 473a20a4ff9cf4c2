// What is known of one node or group.

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
    const rows = [["min, max", `${show(low)}, ${show(high)}`], ["mean ± std", `${show(mean)} ± ${show(deviation)}`], ["numbers", size.toLocaleString()]];
    if (nans + infinities) rows.push(["not finite", `${nans} NaN, ${infinities} inf`]);
    part.append(table(rows));
    if (value.v) part.append(element("pre", value.v.map((one) => show(one)).join("  "), tone));
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
  if (nodes.change[i]) panel.append(element("div", nodes.change[i] === 1 ? "The pass took it away." : "The pass made it.", nodes.change[i] === 1 ? "red" : "green"));
  if (nodes.inside[i].length && !nodes.replayed[i]) panel.append(element("div", "It carries a graph of its own, which can be entered below."));
  if (nodes.replayed[i]) panel.append(element("div", `${replayText(stage, i)}: a checkpoint keeps its operands only, and the backward pass runs its function again.`, "replay"));
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
