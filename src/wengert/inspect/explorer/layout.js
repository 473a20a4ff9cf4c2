// Where boxes stand and lines run: layout.py and compound.py in JavaScript, step for step, so that both give the same.
"use strict";

const Layout = (() => {
  const GAP_X = 26, GAP_Y = 34, LANE = 16, LONGEST = 24, ORDER_SWEEPS = 8, PLACE_SWEEPS = 12;
  const PADDING = 14, HEAD = 24;

  function ranksOf(boxes, lines) {
    const rank = new Array(boxes.length).fill(0);
    const outgoing = boxes.map(() => []);
    for (const line of lines) outgoing[line.source].push(line.target);
    const shift = boxes.some((box) => box.first) ? 1 : 0;
    boxes.forEach((box, i) => {
      rank[i] = box.first ? 0 : Math.max(rank[i], shift);
      for (const j of outgoing[i]) rank[j] = Math.max(rank[j], rank[i] + 1);
    });
    for (let i = boxes.length - 1; i >= 0; i--) {
      if (boxes[i].isSource && outgoing[i].length) {
        let least = Infinity;
        for (const j of outgoing[i]) least = Math.min(least, rank[j]);
        rank[i] = Math.max(rank[i], least - 1);
      }
    }
    if (boxes.some((box) => box.last)) {
      let bottom = 0, inner = -1;
      rank.forEach((r, i) => { bottom = Math.max(bottom, r); if (!boxes[i].last) inner = Math.max(inner, r); });
      bottom = Math.max(bottom, inner + 1);
      boxes.forEach((box, i) => { if (box.last) rank[i] = bottom; });
    }
    return rank;
  }

  function mainChain(boxes, lines) {
    const best = new Array(boxes.length).fill(-1), length = new Array(boxes.length).fill(0);
    const incoming = boxes.map(() => []);
    lines.forEach((line, number) => incoming[line.target].push(number));
    let at = 0;
    for (let i = 0; i < boxes.length; i++) {
      for (const number of incoming[i]) {
        const candidate = length[lines[number].source] + 1;
        if (candidate > length[i]) { length[i] = candidate; best[i] = number; }
      }
      if (length[i] > length[at]) at = i;
    }
    const found = new Set();
    while (best[at] >= 0) { found.add(best[at]); at = lines[best[at]].source; }
    return found;
  }

  function connect(boxes, lines, rank) {
    const main = mainChain(boxes, lines);
    const width = boxes.map((box) => box.width);
    const above = boxes.map(() => []), below = boxes.map(() => []), chains = [];
    lines.forEach((line, number) => {
      const chain = [line.source], low = rank[line.source], high = rank[line.target];
      if (high - low <= LONGEST) {
        for (let r = low + 1; r < high; r++) {
          chain.push(rank.length);
          rank.push(r); width.push(LANE); above.push([]); below.push([]);
        }
        chain.push(line.target);
        const weight = main.has(number) ? 8 : boxes[line.source].isSource ? 0.5 : 1;
        for (let k = 0; k < chain.length - 1; k++) {
          const a = chain[k], b = chain[k + 1];
          const da = k === 0 ? line.sourceDx || 0 : 0, db = k === chain.length - 2 ? line.targetDx || 0 : 0;
          const strength = weight * (k > 0 && k < chain.length - 2 ? 2 : 1);
          below[a].push([b, db, da, strength]);
          above[b].push([a, da, db, strength]);
        }
      } else chain.push(line.target);
      chains.push(chain);
    });
    return { width, above, below, chains };
  }

  function crossings(ranks, below, position) {
    let total = 0;
    for (let r = 0; r < ranks.length - 1; r++) {
      const size = ranks[r + 1].length + 1, tree = new Int32Array(size + 1);
      let seen = 0;
      for (const item of [...ranks[r]].sort((a, b) => position[a] - position[b])) {
        for (const [other] of below[item]) {
          let before = 0;
          for (let i = position[other] + 1; i > 0; i -= i & -i) before += tree[i];
          total += seen - before;
        }
        for (const [other] of below[item]) {
          seen++;
          for (let i = position[other] + 1; i <= size; i += i & -i) tree[i]++;
        }
      }
    }
    return total;
  }

  function order(ranks, above, below, count) {
    const position = new Array(count).fill(0);
    for (const row of ranks) row.forEach((item, i) => { position[item] = i; });
    let best = ranks.map((row) => [...row]), fewest = crossings(ranks, below, position);
    const keys = new Array(count).fill(0);
    for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
      const down = sweep % 2 === 0, side = down ? above : below;
      for (let k = 0; k < ranks.length; k++) {
        const row = ranks[down ? k : ranks.length - 1 - k];
        for (const item of row) {
          const near = side[item];
          keys[item] = position[item];
          if (near.length) {
            let sum = 0;
            for (const [other, dx] of near) sum += position[other] + Math.atan(dx) * 1e-3;
            keys[item] = sum / near.length;
          }
        }
        row.sort((a, b) => keys[a] - keys[b]);
        row.forEach((item, i) => { position[item] = i; });
      }
      const now = crossings(ranks, below, position);
      if (now < fewest) { fewest = now; best = ranks.map((row) => [...row]); }
    }
    return best;
  }

  function placeRank(row, x, width, sides) {
    const means = [], weights = [], counts = [], offsets = [];
    let offset = 0;
    row.forEach((item, k) => {
      if (k) {
        const gap = width[item] > LANE || width[row[k - 1]] > LANE ? GAP_X : LANE / 2;
        offset += (width[row[k - 1]] + width[item]) / 2 + gap;
      }
      offsets.push(offset);
      let pull = 0, weight = 0;
      for (const side of sides) {
        for (const [other, dx, own, strength] of side[item]) {
          pull += strength * (x[other] + dx - own);
          weight += strength;
        }
      }
      let mean = weight ? pull / weight - offset : x[item] - offset, count = 1;
      weight = weight || 0.1;
      while (means.length && means[means.length - 1] > mean) {
        const other = weights.pop();
        mean = (means.pop() * other + mean * weight) / (other + weight);
        weight += other;
        count += counts.pop();
      }
      means.push(mean); weights.push(weight); counts.push(count);
    });
    let k = 0;
    means.forEach((mean, block) => { for (let i = 0; i < counts[block]; i++, k++) x[row[k]] = mean + offsets[k]; });
  }

  function placeAll(ranks, width, above, below) {
    const x = new Array(width.length).fill(0);
    for (const row of ranks) {
      let at = 0;
      for (const item of row) { x[item] = at + width[item] / 2; at += width[item] + GAP_X; }
      for (const item of row) x[item] -= (at - GAP_X) / 2;
    }
    for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
      const down = sweep % 2 === 0, both = sweep >= PLACE_SWEEPS - 2;
      const sides = both ? [above, below] : down ? [above] : [below];
      for (let k = 0; k < ranks.length; k++) placeRank(ranks[down ? k : ranks.length - 1 - k], x, width, sides);
    }
    return x;
  }

  function endsOf(boxes, lines, chains, x) {
    const ends = lines.map((line) => [line.sourceDx, line.targetDx]);
    for (const side of [0, 1]) {
      const groups = new Map();
      lines.forEach((line, number) => {
        if (ends[number][side] == null) {
          const box = side ? line.target : line.source;
          if (!groups.has(box)) groups.set(box, []);
          groups.get(box).push(number);
        }
      });
      for (const [box, numbers] of groups) {
        const to = (number) => x[side ? chains[number][chains[number].length - 2] : chains[number][1]];
        numbers.sort((a, b) => to(a) - to(b));
        const step = Math.min(22, Math.max(boxes[box].width - 24, 0) / numbers.length);
        numbers.forEach((number, i) => { ends[number][side] = step * (i - (numbers.length - 1) / 2); });
      }
    }
    return ends;
  }

  // Centres of the boxes, the points of each line, width and height. Every line leads to a later box.
  function place(boxes, lines) {
    if (!boxes.length) return { x: [], y: [], routes: [], width: 0, height: 0 };
    const rank = ranksOf(boxes, lines);
    const { width, above, below, chains } = connect(boxes, lines, rank);
    let ranks = [];
    rank.forEach((r, item) => { while (ranks.length <= r) ranks.push([]); ranks[r].push(item); });
    ranks = order(ranks, above, below, rank.length);
    const x = placeAll(ranks, width, above, below);
    let left = Infinity, right = -Infinity;
    x.forEach((value, i) => {
      left = Math.min(left, value - width[i] / 2);
      right = Math.max(right, value + width[i] / 2);
    });
    for (let i = 0; i < x.length; i++) x[i] -= left;
    const top = [], bottom = [];
    let at = 0;
    for (const row of ranks) {
      let height = 0, busy = 0;
      for (const item of row) {
        if (item < boxes.length) {
          height = Math.max(height, boxes[item].height);
          busy = Math.max(busy, above[item].length);
        }
      }
      if (top.length) {
        const bare = height === 0 || bottom[bottom.length - 1] === top[top.length - 1];
        at += bare ? GAP_Y / 2 : GAP_Y + Math.min(3 * busy, 30);
      }
      top.push(at);
      at += height;
      bottom.push(at);
    }
    const y = boxes.map((box, i) =>
      box.isSource ? bottom[rank[i]] - box.height / 2 : (top[rank[i]] + bottom[rank[i]]) / 2);
    const ends = endsOf(boxes, lines, chains, x);
    const routes = lines.map((line, number) => {
      const chain = chains[number];
      const points = [[x[line.source] + ends[number][0], y[line.source] + boxes[line.source].height / 2]];
      for (const item of chain.slice(1, -1)) {
        points.push([x[item], top[rank[item]]]);
        if (bottom[rank[item]] > top[rank[item]]) points.push([x[item], bottom[rank[item]]]);
      }
      points.push([x[line.target] + ends[number][1], y[line.target] - boxes[line.target].height / 2]);
      return points;
    });
    return { x: x.slice(0, boxes.length), y, routes, width: right - left, height: at };
  }

  // -- groups ------------------------------------------------------------------------------------------------------

  // items: [{path: [group ids from the outside in], width, height, isSource}] in topological order; edges: [[a, b]].
  function arrange(items, edges, labelWidth) {
    const groups = new Map([["", makeGroup([])]]);
    const keyOf = (path, depth) => path.slice(0, depth).join("/");
    items.forEach((item, index) => {
      for (let depth = 1; depth <= item.path.length; depth++) {
        const key = keyOf(item.path, depth);
        if (!groups.has(key)) {
          groups.set(key, makeGroup(item.path.slice(0, depth)));
          groups.get(keyOf(item.path, depth - 1)).items.set("g" + key, index);
        }
      }
      groups.get(keyOf(item.path, item.path.length)).items.set("n" + index, index);
    });
    const pieces = edges.map(([a, b]) => piecesOf(items, a, b, keyOf));
    pieces.forEach((list, e) => {
      for (const [key, first, last] of list) {
        const lines = groups.get(key).lines, name = first + ">" + last + ">" + edges[e][0];
        if (!lines.has(name)) lines.set(name, { first, last, value: edges[e][0], number: lines.size });
      }
    });
    const inOrder = [...groups.values()].sort((a, b) => b.path.length - a.path.length);
    for (const group of inOrder) {
      layOut(groups, group, items);
      if (group.path.length) {
        group.slack = Math.max(0, labelWidth(group.path[group.path.length - 1]) - group.placed.width);
      }
    }
    return compose(groups, inOrder.reverse(), items, edges, pieces);
  }

  const makeGroup = (path) => ({ path, items: new Map(), lines: new Map(), slack: 0, ports: new Map() });
  const sizeOf = (group) =>
    [group.placed.width + group.slack + 2 * PADDING, group.placed.height + PADDING + HEAD];

  function piecesOf(items, a, b, keyOf) {
    const start = items[a].path, end = items[b].path, found = [];
    let common = 0;
    while (common < start.length && common < end.length && start[common] === end[common]) common++;
    const item = (index, path, depth) => (depth === path.length ? "n" + index : "g" + keyOf(path, depth + 1));
    for (let depth = start.length; depth > common; depth--) {
      found.push([keyOf(start, depth), item(a, start, depth), "o" + a]);
    }
    found.push([keyOf(start, common), item(a, start, common), item(b, end, common)]);
    for (let depth = common + 1; depth <= end.length; depth++) {
      found.push([keyOf(end, depth), "i" + a, item(b, end, depth)]);
    }
    return found;
  }

  function layOut(groups, group, items) {
    const ins = new Set(), outs = new Set();
    for (const { first, last } of group.lines.values()) {
      if (first[0] === "i") ins.add(first);
      if (last[0] === "o") outs.add(last);
    }
    group.order = [...ins, ...byDependence(group), ...outs];
    const placeOf = new Map(group.order.map((item, i) => [item, i]));
    const boxes = group.order.map((item) => {
      if (item[0] === "i") return { width: LANE, height: 0, first: true };
      if (item[0] === "o") return { width: LANE, height: 0, last: true };
      if (item[0] === "n") return items[+item.slice(1)];
      const [width, height] = sizeOf(groups.get(item.slice(1)));
      return { width, height };
    });
    const offset = (item, port) =>
      item[0] === "n" ? null : item[0] === "g" ? groups.get(item.slice(1)).ports.get(port) : 0;
    const lines = [...group.lines.values()].map(({ first, last, value }) => ({
      source: placeOf.get(first), target: placeOf.get(last),
      sourceDx: offset(first, "o" + value), targetDx: offset(last, "i" + value),
    }));
    group.placed = place(boxes, lines);
    for (const port of [...ins, ...outs]) {
      group.ports.set(port, group.placed.x[placeOf.get(port)] - group.placed.width / 2);
    }
  }

  function byDependence(group) {
    const inner = [...group.items.keys()].sort((a, b) => group.items.get(a) - group.items.get(b));
    const waiting = new Map(inner.map((item) => [item, 0])), after = new Map();
    for (const { first, last } of group.lines.values()) {
      if (waiting.has(first) && waiting.has(last)) {
        if (!after.has(first)) after.set(first, []);
        after.get(first).push(last);
        waiting.set(last, waiting.get(last) + 1);
      }
    }
    const ready = inner.filter((item) => waiting.get(item) === 0).reverse(), order = [];
    while (ready.length) {
      const item = ready.pop();
      order.push(item);
      for (const other of [...(after.get(item) || [])].reverse()) {
        waiting.set(other, waiting.get(other) - 1);
        if (waiting.get(other) === 0) ready.push(other);
      }
    }
    return order;
  }

  function compose(groups, inOrder, items, edges, pieces) {
    const x = new Array(items.length), y = new Array(items.length), frames = [];
    const origin = new Map([["", [0, 0]]]);
    for (const group of inOrder) {
      const [left, top] = origin.get(group.path.join("/"));
      group.order.forEach((item, i) => {
        const cx = left + group.placed.x[i], cy = top + group.placed.y[i];
        if (item[0] === "n") { x[+item.slice(1)] = cx; y[+item.slice(1)] = cy; }
        if (item[0] === "g") {
          const inner = groups.get(item.slice(1)), [width, height] = sizeOf(inner);
          const frame = { path: inner.path, x: cx - width / 2, y: cy - height / 2, width, height };
          frames.push(frame);
          origin.set(item.slice(1), [frame.x + PADDING + inner.slack / 2, frame.y + HEAD]);
        }
      });
    }
    const routes = edges.map(([a], e) => {
      const points = [];
      for (const [key, first, last] of pieces[e]) {
        const group = groups.get(key), [left, top] = origin.get(key);
        for (const [px, py] of group.placed.routes[group.lines.get(first + ">" + last + ">" + a).number]) {
          const point = [left + px, top + py], before = points[points.length - 1];
          if (!before || before[0] !== point[0] || before[1] !== point[1]) points.push(point);
        }
      }
      return points;
    });
    const whole = groups.get("").placed;
    return { x, y, routes, frames, width: whole.width, height: whole.height };
  }

  return { place, arrange, HEAD };
})();
