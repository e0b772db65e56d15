// Numbers on a square grid as colours, on canvases that are kept: for pictures that change many times.
import { colour } from './heat.js';
import { el } from './ui.js';

/** Paints `cells` × `cells` numbers, the lowest row first; `pick(share, i)` gives other colours. */
export function paint(canvas, values, cells, low, high, pick = colour) {
  canvas.width = canvas.height = cells;
  const context = canvas.getContext('2d'), image = context.createImageData(cells, cells);
  values.forEach((v, i) => image.data.set([...pick((v - low) / (high - low || 1), i), 255], 4 * ((cells - 1 - Math.floor(i / cells)) * cells + i % cells)));
  context.putImageData(image, 0, 0);
}

/** A canvas below an SVG, in one place. */
export function stack(root) {
  const canvas = el('canvas', { class: 'cells', 'aria-hidden': 'true' });
  return { canvas, root: el('div', { class: 'stack' }, canvas, root) };
}
