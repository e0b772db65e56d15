// Curves as SVG: the numbers come from the server, this draws them. Each curve has a colour and a dash of its own.
import { el, num, svg } from './ui.js';

// Narrow screens get a narrow chart, so that its letters stay readable.
const WIDTH = matchMedia('(max-width: 30rem)').matches ? 360 : 560;
const LEFT = 70, RIGHT = 20, TOP = 30, BOTTOM = 44;

/** Round numbers that divide a range into about `count` parts. */
export function ticks(low, high, count = 5) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(k => k * power).find(s => s >= rough * 0.999) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const all = [];
  for (let k = first; k * step <= high + 1e-9 * step; k++) all.push(Math.abs(k * step) < step * 1e-9 ? 0 : Number((k * step).toPrecision(12)));
  return all;
}

/** An axis: where a number lies between 0 and 1, and the marks. */
export function axis(numbers, { log = false, low, high } = {}) {
  const known = numbers.filter(x => Number.isFinite(x) && (!log || x > 0));
  let [a, b] = [low ?? known.reduce((m, x) => Math.min(m, x), Infinity), high ?? known.reduce((m, x) => Math.max(m, x), -Infinity)];
  if (!(a <= b)) [a, b] = log ? [0.1, 1] : [0, 1];
  if (log) {
    let [p, q] = [Math.log10(a), Math.log10(b)], marks = [];
    if (q - p < 1) { // within a decade its powers say nothing: round numbers between
      if (q - p < 1e-6) [p, q] = [p - 0.5, q + 0.5];
      marks = ticks(10 ** p, 10 ** q);
    } else {
      [p, q] = [Math.floor(p + 1e-9), Math.ceil(q - 1e-9)];
      for (let e = p; e <= q; e += Math.ceil((q - p) / 6)) marks.push(10 ** e);
    }
    return { at: x => (Math.log10(x) - p) / (q - p), marks, low: 10 ** p, high: 10 ** q };
  }
  if (a === b) [a, b] = a === 0 ? [-1, 1] : [a - Math.abs(a) / 2, b + Math.abs(b) / 2];
  const marks = ticks(a, b);
  return { at: x => (x - a) / (b - a), marks, low: a, high: b };
}

/**
 * A chart of curves. `series`: `[{ name, points: [[x, y], …], dots, mark }]`; `x` and `y`: `{ label, log, low, high }`.
 * Options: `height`, `bands` (`[{ from, to, name }]` along x), `line` (a vertical line at x). Returns one element.
 */
export function lines({ series, x = {}, y = {}, height = 320, line = null, bands = [] }) {
  const points = series.flatMap(s => s.points);
  const ax = axis(points.map(p => p[0]), x), ay = axis(points.map(p => p[1]), y);
  const px = v => LEFT + ax.at(v) * (WIDTH - LEFT - RIGHT), py = v => height - BOTTOM - ay.at(v) * (height - TOP - BOTTOM);
  const inside = ([u, v]) => Number.isFinite(u) && Number.isFinite(v) && (!x.log || u > 0) && (!y.log || v > 0);
  const clamp = v => Math.max(-1e4, Math.min(1e4, v));
  const path = list => list.map((p, i) => !inside(p) ? '' : `${i === 0 || !inside(list[i - 1]) ? 'M' : 'L'}${clamp(px(p[0])).toFixed(1)} ${clamp(py(p[1])).toFixed(1)}`).join('');
  const id = `clip-${Math.random().toString(36).slice(2)}`;
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${height}`, class: 'chart', 'aria-hidden': 'true', focusable: 'false' },
    svg('clipPath', { id }, svg('rect', { x: LEFT, y: TOP - 4, width: WIDTH - LEFT - RIGHT, height: height - TOP - BOTTOM + 8 })),
    bands.map(b => svg('rect', { class: 'band', x: px(Math.max(b.from, ax.low)), y: TOP, width: Math.max(0, px(Math.min(b.to, ax.high)) - px(Math.max(b.from, ax.low))), height: height - TOP - BOTTOM })),
    ay.marks.map(m => [svg('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: py(m), y2: py(m) }), svg('text', { x: LEFT - 8, y: py(m) + 4, 'text-anchor': 'end' }, num(m, 4))]),
    ax.marks.map(m => [svg('line', { class: 'axis', x1: px(m), x2: px(m), y1: height - BOTTOM, y2: height - BOTTOM + 5 }), svg('text', { x: px(m), y: height - BOTTOM + 19, 'text-anchor': 'middle' }, num(m, 4))]),
    svg('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: height - BOTTOM, y2: height - BOTTOM }),
    svg('text', { x: (LEFT + WIDTH - RIGHT) / 2, y: height - 6, 'text-anchor': 'middle' }, x.label ?? ''),
    svg('text', { x: 4, y: 12 }, y.label ?? ''),
    svg('g', { 'clip-path': `url(#${id})` },
      line === null ? null : svg('line', { class: 'axis', x1: px(line), x2: px(line), y1: TOP, y2: height - BOTTOM }),
      series.map((s, i) => [
        s.dots ? null : svg('path', { class: `curve s${s.mark ?? i % 6 + 1}`, d: path(s.points) }),
        s.dots || s.points.length === 1 ? s.points.filter(inside).map(p => svg('circle', { class: `dot f${s.mark ?? i % 6 + 1}`, cx: px(p[0]), cy: py(p[1]), r: 4.5 })) : null,
      ])));
  if (series.length < 2) return picture;
  const sample = (s, i) => svg('svg', { viewBox: '0 0 32 12', class: 'chart', 'aria-hidden': 'true' },
    s.dots ? svg('circle', { class: `f${s.mark ?? i % 6 + 1}`, cx: 16, cy: 6, r: 4.5 }) : svg('path', { class: `curve s${s.mark ?? i % 6 + 1}`, d: 'M0 6H32' }));
  return el('div', {}, picture, el('ul', { class: 'legend' }, series.map((s, i) => el('li', {}, sample(s, i), s.name))));
}
