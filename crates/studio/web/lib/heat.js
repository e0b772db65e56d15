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
    image.data.set([...colour((v - a) / (b - a || 1)), 255], at);
  });
  context.putImageData(image, 0, 0);
  canvas.classList.toggle('sharp', !smooth);
  const field = el('div', { class: 'heat-field' }, canvas);
  if (mark !== null) {
    const share = (mark + 0.5) / height * 100;
    const line = svg('svg', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'heat-mark' }, svg('line', { x1: 0, x2: 100, y1: upward ? 100 - share : share, y2: upward ? 100 - share : share }));
    field.append(line);
  }
  const map = el('div', { class: 'heat-map' }, el('span', { class: 'heat-y small' }, y), field, el('span', { class: 'heat-x small' }, x));
  if (!legend) return map;
  const scale = el('canvas', { width: 64, height: 1, class: 'heat-scale', 'aria-hidden': 'true' }), bar = scale.getContext('2d'), strip = bar.createImageData(64, 1);
  for (let i = 0; i < 64; i++) strip.data.set([...colour(i / 63), 255], 4 * i);
  bar.putImageData(strip, 0, 0);
  map.append(el('div', { class: 'heat-legend small' }, num(a, 3), scale, num(b, 3)));
  return map;
}
