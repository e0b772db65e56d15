// A part of the plane as SVG, with axes: for contours, paths and points.
import { ticks } from './chart.js';
import { num, svg } from './ui.js';

const WIDTH = 560, LEFT = 54, RIGHT = 12, TOP = 12, BOTTOM = 44;

/**
 * A picture of `x` = [low, high] by `y`, with labels. Returns `{ root, px, py, layer, at }`: where a coordinate lies, the group
 * to draw in (cut off at the frame), and the coordinates [x, y] of a pointer event.
 */
export function plane({ x, y, labels = ['x', 'y'], height = 440 }) {
  const px = v => LEFT + (v - x[0]) / (x[1] - x[0]) * (WIDTH - LEFT - RIGHT);
  const py = v => height - BOTTOM - (v - y[0]) / (y[1] - y[0]) * (height - TOP - BOTTOM);
  const id = `plane-${Math.random().toString(36).slice(2)}`;
  const frame = { x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: height - TOP - BOTTOM };
  const layer = svg('g', { 'clip-path': `url(#${id})` });
  const root = svg('svg', { viewBox: `0 0 ${WIDTH} ${height}`, class: 'chart', 'aria-hidden': 'true', focusable: 'false' },
    svg('clipPath', { id }, svg('rect', frame)),
    ticks(...y).map(m => [svg('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: py(m), y2: py(m) }), svg('text', { x: LEFT - 8, y: py(m) + 4, 'text-anchor': 'end' }, num(m, 4))]),
    ticks(...x).map(m => [svg('line', { class: 'grid', x1: px(m), x2: px(m), y1: TOP, y2: height - BOTTOM }), svg('text', { x: px(m), y: height - BOTTOM + 19, 'text-anchor': 'middle' }, num(m, 4))]),
    layer,
    svg('rect', { ...frame, class: 'frame' }),
    svg('text', { x: (LEFT + WIDTH - RIGHT) / 2, y: height - 6, 'text-anchor': 'middle' }, labels[0]),
    svg('text', { x: 14, y: (TOP + height - BOTTOM) / 2, 'text-anchor': 'middle', transform: `rotate(-90 14 ${(TOP + height - BOTTOM) / 2})` }, labels[1]));
  const at = e => {
    const box = root.getBoundingClientRect(), u = (e.clientX - box.left) / box.width * WIDTH, v = (e.clientY - box.top) / box.height * height;
    return [x[0] + (u - LEFT) / frame.width * (x[1] - x[0]), y[0] + (height - BOTTOM - v) / frame.height * (y[1] - y[0])];
  };
  return { root, px, py, layer, at };
}

/** A path through points, interrupted where one is not finite. */
export function line(points, px, py, attributes) {
  const near = v => Math.max(-1e4, Math.min(1e4, v)).toFixed(1);
  const known = p => Number.isFinite(p[0]) && Number.isFinite(p[1]);
  const d = points.map((p, i) => known(p) ? `${i > 0 && known(points[i - 1]) ? 'L' : 'M'}${near(px(p[0]))} ${near(py(p[1]))}` : '').join('');
  return svg('path', { d, ...attributes });
}

/** A mark of its own shape for each series, 0 to 5. */
export function mark(i, x, y, r = 5) {
  const c = `f${i % 6 + 1} mark`;
  const d = [null, `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`, `M${x} ${y - r * 1.2}L${x + r * 1.1} ${y + r}L${x - r * 1.1} ${y + r}Z`,
    `M${x} ${y - r * 1.3}L${x + r * 1.3} ${y}L${x} ${y + r * 1.3}L${x - r * 1.3} ${y}Z`,
    `M${x - r} ${y - r * 0.4}h${r * 0.6}v${-r * 0.6}h${r * 0.8}v${r * 0.6}h${r * 0.6}v${r * 0.8}h${-r * 0.6}v${r * 0.6}h${-r * 0.8}v${-r * 0.6}h${-r * 0.6}Z`,
    `M${x - r * 1.1} ${y - r}H${x + r * 1.1}L${x} ${y + r * 1.2}Z`][i % 6];
  return d ? svg('path', { d, class: c }) : svg('circle', { cx: x, cy: y, r, class: c });
}

/** Calls `moved([x, y])` while a pointer is drawn over `place`, whose picture `at` reads, and `moved([x, y], true)` at its end. */
export function drag(place, at, moved) {
  let held = null;
  place.classList.add('drawn');
  place.onpointerdown = e => { held = e.pointerId; place.setPointerCapture(held); moved(at(e), false); e.preventDefault(); };
  place.onpointermove = e => { if (e.pointerId === held) moved(at(e), false); };
  place.onpointerup = e => { if (e.pointerId === held) { held = null; moved(at(e), true); } };
  place.onpointercancel = () => { held = null; };
}
