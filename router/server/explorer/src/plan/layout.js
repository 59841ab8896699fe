// Where the boxes and arrows of a plan's picture go. Pure: plan in, coordinates in pixels out.

export const BOX = { width: 126, height: 52 };
const GAP = { x: 30, y: 12 };

/**
 * Columns from left to right are steps in time: a fetch stands right of all that it waits for.
 *
 * `fetches`: [{id, dependsOn}], each after what it depends on. Returns {boxes: [{fetch, x, y}], arrows: [{from, to,
 * path}] (`path` is an SVG path), width, height, depth}.
 */
export function layOut(fetches) {
  const columns = columnsOf(fetches);
  const tallest = Math.max(0, ...columns.map((column) => column.length));
  const boxes = columns.flatMap((column, index) => placeColumn(column, index, tallest));
  return {
    boxes,
    arrows: arrowsBetween(boxes),
    width: extent(columns.length, BOX.width, GAP.x),
    height: extent(tallest, BOX.height, GAP.y),
    depth: columns.length,
  };
}

function columnsOf(fetches) {
  const depths = new Map();
  const columns = [];
  for (const fetch of fetches) {
    const depth = Math.max(-1, ...fetch.dependsOn.map((id) => depths.get(id))) + 1;
    depths.set(fetch.id, depth);
    (columns[depth] ??= []).push(fetch);
  }
  return columns;
}

function placeColumn(column, index, tallest) {
  const top = (extent(tallest, BOX.height, GAP.y) - extent(column.length, BOX.height, GAP.y)) / 2;
  return column.map((fetch, row) => ({
    fetch,
    x: index * (BOX.width + GAP.x),
    y: top + row * (BOX.height + GAP.y),
  }));
}

function arrowsBetween(boxes) {
  const boxById = new Map(boxes.map((box) => [box.fetch.id, box]));
  return boxes.flatMap((to) =>
    nearest(to.fetch, boxById).map((id) => ({ from: id, to: to.fetch.id, path: curve(boxById.get(id), to) })),
  );
}

/** What `fetch` waits for, less what those wait for themselves: the arrows say the same, and fewer of them cross. */
function nearest(fetch, boxById) {
  const implied = new Set(fetch.dependsOn.flatMap((id) => [...ancestors(id, boxById)]));
  return fetch.dependsOn.filter((id) => !implied.has(id));
}

function ancestors(id, boxById) {
  const found = new Set();
  const waiting = [...boxById.get(id).fetch.dependsOn];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...boxById.get(next).fetch.dependsOn);
  }
  return found;
}

function curve(from, to) {
  const start = { x: from.x + BOX.width, y: from.y + BOX.height / 2 };
  const end = { x: to.x - 2, y: to.y + BOX.height / 2 };
  const bend = GAP.x / 2;
  return `M${start.x},${start.y} C${start.x + bend},${start.y} ${end.x - bend},${end.y} ${end.x},${end.y}`;
}

function extent(count, size, gap) {
  return Math.max(0, count * (size + gap) - gap);
}
