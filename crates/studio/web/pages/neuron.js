// One neuron: its activation with slope and tangent, its answer over the plane, and how the answer moves.
import { $, ask, el, newest, num, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { lines } from '../lib/chart.js';
import { drag, mark, plane } from '../lib/plane.js';
import { paint, stack } from '../lib/cells.js';
import { share } from '../lib/share.js';

const [curve, map, slopes] = ['curve', 'map', 'slopes'].map(figure);
const state = bind($('controls'), v => update(v));
const showCommand = share($('share'), () => {
  const v = state.values;
  return ['neuron', `--inputs=${v.x1},${v.x2}`, `--weights=${v.w1},${v.w2}`, `--bias=${v.b}`, '--activation', v.activation];
});

const update = newest(async (signal, v) => {
  try {
    const a = await ask('lessons/neuron', { activation: v.activation, inputs: [v.x1, v.x2], weights: [v.w1, v.w2], bias: v.b }, { signal });
    showError($('error'), null);
    draw(a, v);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    showError($('error'), e);
  }
  showCommand();
});

function draw(a, v) {
  const n = a.neuron, points = a.curve.points, f = v.activation;
  const tangent = [-1.5, 1.5].map(d => [n.sum + d, n.output + d * n.slope]);
  const saturated = a.curve.saturated.map(([from, to]) => ({ from, to, name: t('web.neuron.saturated') }));
  curve.draw(lines({
    series: [{ name: 'f(z)', points: points.map(p => [p.x, p.value]) }, { name: 'f′(z)', points: points.map(p => [p.x, p.slope]) },
      { name: t('web.neuron.tangent'), points: tangent }, { name: t('web.neuron.here'), points: [[n.sum, n.output]], dots: true }],
    x: { label: 'z', low: -6, high: 6 }, y: { label: '', low: f === 'relu' || f === 'linear' ? undefined : -1.5, high: 2.5 }, bands: saturated, line: n.sum, height: 320,
  }));
  curve.say(t('web.neuron.curve_summary', { f, z: num(n.sum), a: num(n.output), slope: num(n.slope), saturation: a.saturation }));
  curve.table(() => ({ head: ['z', 'f(z)', 'f′(z)'], body: points.filter((_, i) => i % 10 === 0).map(p => [num(p.x), p.value, p.slope]) }));
  $('formula').textContent = `z = ${num(v.w1)}·${num(v.x1)} + ${num(v.w2)}·${num(v.x2)} + ${num(v.b)} = ${num(n.sum)};  a = ${f}(z) = ${num(n.output)}`;
  $('warning').textContent = n.saturated ? t('web.neuron.warning') : '';
  drawMap(a, v);
  const rows = [0, 1].map(i => [`w${i + 1}`, n.by_weights[i]]).concat([['b', n.by_bias]], [0, 1].map(i => [`x${i + 1}`, n.by_inputs[i]]));
  const largest = Math.max(0.1, ...rows.map(r => Math.abs(r[1])));
  slopes.draw(svg('svg', { viewBox: '0 0 560 150', class: 'chart', 'aria-hidden': 'true', focusable: 'false' },
    svg('line', { class: 'axis', x1: 280, x2: 280, y1: 0, y2: 150 }),
    rows.map(([name, x], i) => [
      svg('text', { x: 24, y: 22 + 28 * i }, `∂a/∂${name}`),
      svg('rect', { class: 'f1', x: x < 0 ? 280 + 170 * x / largest : 280, y: 8 + 28 * i, width: Math.abs(170 * x / largest), height: 18 }),
      svg('text', { x: 540, y: 22 + 28 * i, 'text-anchor': 'end' }, num(x)),
    ])));
  slopes.say(t('web.neuron.slopes_summary', { list: rows.map(([name, x]) => `∂a/∂${name} = ${num(x)}`).join(', ') }));
  slopes.table(() => ({ head: [t('web.neuron.what'), '∂a/∂'], body: rows }));
}

let picture = null;

function drawMap(a, v) {
  const { cells, reach, values } = a.map, low = Math.min(...values), high = Math.max(...values), size = Math.max(Math.abs(low), Math.abs(high), 1e-9);
  const p = plane({ x: [-reach, reach], y: [-reach, reach], labels: ['x1', 'x2'], height: 520 });
  picture = stack(p.root);
  paint(picture.canvas, values, cells, low < 0 ? -size : 0, size);
  const { w1, w2, b } = v;
  if (w1 !== 0 || w2 !== 0) {
    const ends = Math.abs(w2) > Math.abs(w1) ? [-reach, reach].map(x => [x, -(w1 * x + b) / w2]) : [-reach, reach].map(y => [-(w2 * y + b) / w1, y]);
    p.layer.append(svg('line', { class: 'border', x1: p.px(ends[0][0]), y1: p.py(ends[0][1]), x2: p.px(ends[1][0]), y2: p.py(ends[1][1]) }));
  }
  p.layer.append(mark(1, p.px(v.x1), p.py(v.x2), 7));
  map.draw(picture.root);
  drag(p.root, p.at, ([x, y], done) => { if (done) { const cut = q => String(Math.max(-3, Math.min(3, Math.round(q * 20) / 20))); state.set({ x1: cut(x), x2: cut(y) }); } });
  map.say(t('web.neuron.map_summary', { low: num(low), high: num(high), a: num(a.neuron.output) }));
  const every = Math.round(cells / 6), at = i => num(reach * ((2 * i + 1) / cells - 1), 3);
  const places = Array.from({ length: cells }, (_, i) => i).filter(i => i % every === 0);
  map.table(() => ({ head: ['x2 \\ x1', ...places.map(at)], body: places.map(r => [at(r), ...places.map(c => values[r * cells + c])]) }));
}
