// Backpropagation: one list of rows, as a graph and as a table, both at the same step. Steps 1 to n show values, the n after them
// derivatives, last row first; what is not known yet is a dot, never 0.
import { $, ask, el, newest, num, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { share } from '../lib/share.js';
import { stepper } from '../lib/stepper.js';

const PRESETS = {
  board: { f: '(x/y + 5)^2 + x', at: 'x=6,y=2' },
  neuron: { f: 'tanh(x*w + b)', at: 'x=0.5,w=-1,b=0.2' },
  network: { f: '(sigmoid(w1*x + b1)*w2 + b2 - t)^2', at: 'w1=0.7,x=1.5,b1=-0.3,w2=1.2,b2=0.1,t=1' },
  softmax: { f: '-log(exp(a)/(exp(a) + exp(b)))', at: 'a=1,b=2' },
};
const graph = figure('graph');
let shown = null, key = '';

const state = bind($('controls'), v => update(v));
const showCommand = share($('share'), () => ['backprop', state.values.f, '--at', state.values.at]);
const last = () => shown ? 2 * shown.trace.rows.length : 0;
stepper(() => state, 'step', last, 900);
$('preset').addEventListener('change', e => { if (PRESETS[e.target.value]) state.set({ ...PRESETS[e.target.value], step: '0' }); });
$('preset').addEventListener('input', e => e.stopPropagation());

const update = newest(async (signal, v) => {
  const question = { expression: v.f, at: v.at };
  try {
    if (key !== JSON.stringify(question)) {
      shown = await ask('lessons/backprop', question, { signal });
      key = JSON.stringify(question);
    }
    showError($('error'), null);
    draw(Math.min(Math.round(v.step), last()));
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    key = '';
    showError($('error'), e);
  }
  showCommand();
});

/** What is known of row i at a step: value, derivative, its contributions so far, and whether the step is about it. */
function known(i, step) {
  const rows = shown.trace.rows, n = rows.length, row = rows[i], back = step - n;
  const visited = k => back > 0 && k >= n - back;
  const parts = row.contributions.filter(c => visited(Number(c.from.slice(1))));
  const done = visited(i);
  return {
    row, parts, done,
    value: i < step ? row.value : undefined,
    derivative: done ? row.derivative : parts.length ? parts.reduce((sum, c) => sum + c.amount, 0) : undefined,
    now: step > 0 && (back <= 0 ? i === step - 1 : i === n - back),
  };
}

const say = x => x === undefined ? '·' : num(x, 5);

function draw(step) {
  const { rows } = shown.trace, n = rows.length, all = rows.map((_, i) => known(i, step));
  drawGraph(all);
  drawList(all);
  const now = all.find(k => k.now);
  const place = { step, last: last() };
  graph.say(!now ? t('web.backprop.before', place)
    : step <= n ? t('web.backprop.forward', { ...place, row: now.row.name, operation: now.row.operation, value: num(now.row.value) })
      : t('web.backprop.reverse', { ...place, row: now.row.name, derivative: num(now.row.derivative), parts: now.row.seed ? t('web.backprop.seed') : now.parts.map(c => `${c.from}: ${num(c.upstream)}·${num(c.local)} = ${num(c.amount)}`).join('; ') }));
  graph.table(() => ({
    head: [t('web.backprop.row'), t('web.backprop.operation'), t('web.backprop.value'), t('web.backprop.derivative')],
    body: all.map(k => [k.row.name, k.row.operation, k.value ?? '·', k.derivative ?? '·']),
  }));
  const gradient = Object.entries(shown.trace.gradient).map(([v, x]) => `∂f/∂${v} = ${num(x, 6)}`).join(',  ');
  $('gradient').textContent = step >= last() ? `f = ${num(shown.trace.value, 6)};  ${gradient}` : '';
}

const BOX = [150, 62], EDGE = 14;
const narrow = matchMedia('(max-width: 44rem)');
narrow.addEventListener('change', () => { if (shown) draw(Math.min(Math.round(state.values.step), last())); });

/** Layers run to the right; on a narrow screen downwards. */
function drawGraph(all) {
  const { rows: places, edges } = shown.layout, down = narrow.matches, step = down ? [166, 108] : [212, 92];
  const everywhere = [...places, ...edges.flatMap(e => e.path)];
  const top = Math.min(...everywhere.map(p => p.height)), bottom = Math.max(...everywhere.map(p => p.height)), right = Math.max(...places.map(p => p.layer));
  const at = p => { const [u, v] = down ? [p.height - top, p.layer] : [p.layer, p.height - top]; return [EDGE + BOX[0] / 2 + u * step[0], EDGE + BOX[1] / 2 + v * step[1]]; };
  const [across, along] = down ? [bottom - top, right] : [right, bottom - top];
  const width = 2 * EDGE + BOX[0] + across * step[0], height = 2 * EDGE + BOX[1] + along * step[1];
  const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'chart graph', 'aria-hidden': 'true', focusable: 'false' });
  const bend = ([x, y], [u, v]) => down ? `C${x} ${(y + v) / 2} ${u} ${(y + v) / 2} ${u} ${v}` : `C${(x + u) / 2} ${y} ${(x + u) / 2} ${v} ${u} ${v}`;
  const [dx, dy] = down ? [0, BOX[1] / 2] : [BOX[0] / 2, 0];
  for (const e of edges) {
    const path = e.path.map(at), used = all[e.to].done, end = path.at(-1);
    const points = [[path[0][0] + dx, path[0][1] + dy], ...path.slice(1, -1), [end[0] - dx, end[1] - dy]];
    const d = `M${points[0].join(' ')}${points.slice(1).map((p, i) => bend(points[i], p)).join('')}`;
    root.append(svg('path', { d, class: `wire${used ? ' used' : ''}${all[e.to].now && used ? ' now' : ''}` }));
    const locals = all[e.from].row.contributions.filter(c => c.from === all[e.to].row.name);
    const [a, b] = points.slice(-2);
    if (used) root.append(svg('text', { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 - 6, 'text-anchor': 'middle', class: 'local' }, locals.map(c => `·${num(c.local)}`).join(' ')));
  }
  all.forEach((k, i) => {
    const [x, y] = at(places[i]), cut = s => s.length > 19 ? `${s.slice(0, 18)}…` : s;
    root.append(svg('g', { class: `box${k.now ? ' now' : ''}` },
      svg('rect', { x: x - BOX[0] / 2, y: y - BOX[1] / 2, width: BOX[0], height: BOX[1], rx: 6 }),
      svg('text', { x, y: y - 12, 'text-anchor': 'middle', class: 'name' }, cut(`${k.row.name} = ${k.row.operation}`)),
      svg('text', { x, y: y + 6, 'text-anchor': 'middle' }, say(k.value)),
      svg('text', { x, y: y + 23, 'text-anchor': 'middle', class: 'slope' }, `∂f: ${say(k.derivative)}${k.derivative !== undefined && !k.done ? ' …' : ''}`)));
  });
  graph.draw(root);
}

function drawList(all) {
  const head = ['web.backprop.row', 'web.backprop.value', 'web.backprop.derivative', 'web.backprop.parts', 'web.backprop.check'].map(k => el('th', { scope: 'col' }, t(k)));
  const words = k => [...k.parts.map(c => `${c.from}: += ${num(c.upstream)}·(${c.rule}) = ${num(c.amount)}`), ...(k.row.seed && k.done ? [t('web.backprop.seed')] : [])];
  $('list').replaceChildren(el('thead', {}, el('tr', {}, head)), el('tbody', {}, all.map(k => el('tr', k.now ? { class: 'now', 'aria-current': 'step' } : {},
    el('th', { scope: 'row', class: 'mono' }, `${k.row.name} = ${k.row.operation}`),
    el('td', {}, say(k.value)), el('td', {}, say(k.derivative)),
    el('td', { class: 'mono' }, words(k).map(w => el('div', {}, w))),
    el('td', {}, k.done ? `${num(k.row.check.difference)} ${k.row.check.agrees ? '✓' : '✗'}` : '')))));
}
