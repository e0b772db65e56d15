// Fields as colours: a canvas of one pixel a value, stretched by the browser, with its scale. The numbers come from the server.
import { el, num, svg } from './ui.js';

// From blue over the colour of paper to orange: equally far from the middle is equally strong.
const STOPS = [[18, 78, 110], [92, 157, 187], [247, 245, 239], [233, 154, 85], [158, 70, 10]];

/** The colour of a number between 0 and 1. */
export function colour(x) {
  const at = Math.max(0, Math.min(1, Number.isFinite(x) ? x : 0.5)) * (STOPS.length - 1), i = Math.min(STOPS.length - 2, Math.floor(at)), f = at - i;
  return STOPS[i].map((c, k) => Math.round(c + f * (STOPS[i + 1][k] - c)));
}

/**
 * A heat map of `values` (rows from the top, `width` numbers each). Options: `low`, `high`, `x`, `y` (labels), `upward` (first row at the
 * bottom), `mark` (a row to point at), `smooth` (blurs between values, as a field is), `legend`.
 */
export function heat({ values, width, low = null, high = null, x = '', y = '', upward = false, mark = null, smooth = true, legend = true }) {
  const height = values.length / width, canvas = el('canvas', { width, height, class: 'heat', 'aria-hidden': 'true' });
  const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
  const [a, b] = [low ?? -largest, high ?? largest];
  const context = canvas.getContext('2d'), image = context.createImageData(width, height);
  values.forEach((v, i) => {
    const row = Math.floor(i / width), at = 4 * ((upward ? height - 1 - row : row) * width + i % width);
    image.data.set([...colour((v - a) / (b - a || 1)), v === null ? 0 : 255], at); // null: there is nothing here
  });
  context.putImageData(image, 0, 0);
  canvas.classList.toggle('sharp', !smooth);
  return framed(canvas, { a, b, x, y, legend, share: mark === null ? null : (upward ? height - mark - 0.5 : mark + 0.5) / height });
}

/** Values at scattered points [u, v] of the ranges `across` and `up`, as a map like those of `heat`. */
export function scatter({ points: [u, v], values, across, up, low = null, high = null, x = '', y = '' }) {
  const SIDE = 240, DOT = 5, canvas = el('canvas', { width: SIDE, height: SIDE, class: 'heat', 'aria-hidden': 'true' });
  const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
  const [a, b] = [low ?? -largest, high ?? largest], context = canvas.getContext('2d');
  const at = (p, [from, to]) => (p - from) / (to - from) * SIDE;
  values.forEach((value, i) => {
    context.fillStyle = `rgb(${colour((value - a) / (b - a || 1)).join()})`;
    context.fillRect(at(u[i], across) - DOT / 2, SIDE - at(v[i], up) - DOT / 2, DOT, DOT);
  });
  return framed(canvas, { a, b, x, y, legend: true, share: null });
}

/** A map with its labels, a line at a share of its height from the top, and the scale from `a` to `b`. */
function framed(canvas, { a, b, x, y, legend, share }) {
  const field = el('div', { class: 'heat-field' }, canvas);
  if (share !== null) field.append(svg('svg', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'heat-mark' }, svg('line', { x1: 0, x2: 100, y1: 100 * share, y2: 100 * share })));
  const map = el('div', { class: 'heat-map' }, el('span', { class: 'heat-y small' }, y), field, el('span', { class: 'heat-x small' }, x));
  if (!legend) return map;
  const scale = el('canvas', { width: 64, height: 1, class: 'heat-scale', 'aria-hidden': 'true' }), bar = scale.getContext('2d'), strip = bar.createImageData(64, 1);
  for (let i = 0; i < 64; i++) strip.data.set([...colour(i / 63), 255], 4 * i);
  bar.putImageData(strip, 0, 0);
  map.append(el('div', { class: 'heat-legend small' }, num(a, 3), scale, num(b, 3)));
  return map;
}
