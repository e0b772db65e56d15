// Gradient descent: the server computes every step of every optimizer, this shows them one after another.
import { $, ask, el, newest, num, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { lines } from '../lib/chart.js';
import { drag, line, mark, plane } from '../lib/plane.js';
import { share } from '../lib/share.js';
import { stepper } from '../lib/stepper.js';

const NAMES = ['sgd', 'momentum', 'nesterov', 'rmsprop', 'adam'];
const PRESETS = {
  ravine: { f: 'x^2 + 10*y^2', from: 'x=-4,y=2', rate: '0.05' },
  bowl: { f: 'x^2', from: 'x=3', rate: '0.3' },
  valleys: { f: 'x^4 - 3*x^2 + x', from: 'x=2', rate: '0.02' },
  banana: { f: '(1 - x)^2 + 10*(y - x^2)^2', from: 'x=-1.5,y=1.5', rate: '0.005' },
  saddle: { f: 'x^2 - y^2 + y^4/4', from: 'x=2,y=0.01', rate: '0.1' },
  plateau: { f: '-exp(-x^2 - y^2)', from: 'x=2,y=1.5', rate: '0.2' },
};
const [path, values, memory] = ['path', 'values', 'state'].map(figure);
let shown = null, key = '';

const state = bind($('controls'), v => update(v));
const chosen = v => NAMES.filter(n => v[n]);
const showCommand = share($('share'), () => {
  const v = state.values;
  return ['descend', v.f, `--from=${v.from}`, '--optimizer', chosen(v).join(',') || 'sgd', '--learning-rate', String(v.rate),
    ...(v.beta === 0.9 ? [] : ['--momentum', String(v.beta)]), '--steps', String(v.steps)];
});
const last = () => Math.max(0, ...(shown?.descents ?? []).map(d => d.descent.steps.length - 1));
stepper(() => state, 'step', last);

$('preset').addEventListener('change', e => { if (PRESETS[e.target.value]) state.set({ ...PRESETS[e.target.value], step: '0' }); });
$('preset').addEventListener('input', e => e.stopPropagation());
const scale = by => state.set({ rate: String(Number((state.values.rate * by).toPrecision(6))), step: '0' });
$('halve').addEventListener('click', () => scale(0.5));
$('double').addEventListener('click', () => scale(2));

/** Moves the start to a point. */
function start(at) {
  const from = shown.variables.map((v, i) => `${v}=${Number(at[i].toPrecision(4))}`).join(',');
  state.set({ from, step: '0' });
}

const arrows = [['←', 0, -1, 'web.descent.left'], ['→', 0, 1, 'web.descent.right'], ['↓', 1, -1, 'web.descent.down'], ['↑', 1, 1, 'web.descent.up']];
$('moves').replaceChildren(...arrows.map(([sign, i, way, name]) => el('button', { type: 'button', 'aria-label': t(name), click: () => {
  if (!shown || i >= shown.variables.length) return;
  const [low, high] = shown.surface.view[i];
  start(shown.start.map((x, k) => k === i ? x + way * (high - low) / 40 : x));
} }, sign)));

const update = newest(async (signal, v) => {
  const question = { expression: v.f, from: v.from, optimizers: chosen(v), learning_rate: v.rate, momentum: v.beta, steps: Math.round(v.steps) };
  try {
    if (key !== JSON.stringify(question)) {
      shown = await ask('lessons/descent', question, { signal });
      key = JSON.stringify(question);
    }
    showError($('error'), null);
    draw(v);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    key = '';
    showError($('error'), e);
  }
  showCommand();
});

const at = (d, step) => d.descent.steps[Math.min(step, d.descent.steps.length - 1)];

function draw(v) {
  const step = Math.min(Math.round(v.step), last()), two = shown.variables.length === 2;
  const [vx, vy] = shown.surface.view, n = shown.surface.columns;
  const known = shown.surface.values.filter(Number.isFinite);
  const low = known.reduce((a, b) => Math.min(a, b), Infinity), high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  const room = (high - low) * 0.06 || 1;
  const p = plane({ x: vx, y: two ? vy : [low - room, high + room], labels: two ? shown.variables : [shown.variables[0], 'f'] });
  const place = s => two ? s.at : [s.at[0], s.value];
  if (two) {
    for (const l of shown.surface.levels) p.layer.append(...l.lines.map(points => line(points, p.px, p.py, { class: 'contour' })));
  } else {
    const curve = shown.surface.values.map((y, i) => [vx[0] + (vx[1] - vx[0]) * i / (n - 1), y]);
    p.layer.append(line(curve, p.px, p.py, { class: 'contour strong' }));
  }
  for (const d of shown.descents) {
    const i = NAMES.indexOf(d.name), seen = d.descent.steps.slice(0, step + 1).map(place), end = seen[seen.length - 1];
    p.layer.append(line(seen, p.px, p.py, { class: `curve s${i + 1}` }));
    if (seen.length < 80) p.layer.append(...seen.slice(0, -1).filter(q => q.every(Number.isFinite)).map(q => svg('circle', { class: `f${i + 1}`, cx: p.px(q[0]), cy: p.py(q[1]), r: 2.5 })));
    if (end.every(Number.isFinite)) p.layer.append(mark(i, Math.max(-50, Math.min(700, p.px(end[0]))), Math.max(-50, Math.min(700, p.py(end[1]))), 7));
  }
  const legend = el('ul', { class: 'legend' }, shown.descents.map(d => {
    const i = NAMES.indexOf(d.name);
    return el('li', {}, svg('svg', { viewBox: '0 0 32 14', class: 'chart', 'aria-hidden': 'true' }, svg('path', { class: `curve s${i + 1}`, d: 'M0 7H32' }), mark(i, 16, 7)), d.name);
  }));
  path.draw(el('div', {}, p.root, legend));
  drag(p.root, p.at, (q, done) => { if (done) start(q); });
  const points = s => shown.variables.map((name, i) => `${name} = ${num(s.at[i])}`).join(', ');
  path.say(t('web.descent.summary', { step, list: shown.descents.map(d => `${d.name}: ${points(at(d, step))}, f = ${num(at(d, step).value)}`).join('; ') }));
  path.table(() => ({
    head: [t('web.descent.step_head'), ...shown.descents.flatMap(d => [...shown.variables.map(x => `${d.name} ${x}`), `${d.name} f`])],
    body: Array.from({ length: step + 1 }, (_, k) => [String(k), ...shown.descents.flatMap(d => { const s = d.descent.steps[k]; return s ? [...s.at, s.value] : [...shown.variables.map(() => null), null]; })]),
  }));
  drawValues(step);
  drawState(step);
  $('endings').replaceChildren(...shown.descents.map(d => el('p', {}, el('strong', {}, `${d.name}: `), d.end, d.why ? el('span', { class: 'small' }, ` — ${d.why}; ${d.fix}`) : null,
    d.curvature ? el('span', { class: 'small' }, ` ${d.curvature}.`) : null)));
}

function drawValues(step) {
  const positive = shown.descents.every(d => d.descent.steps.every(s => !Number.isFinite(s.value) || s.value > 0));
  const series = shown.descents.map(d => ({ name: d.name, mark: NAMES.indexOf(d.name) + 1, points: d.descent.steps.map(s => [s.step, s.value]) }));
  values.draw(lines({ series, x: { label: t('web.descent.step_head') }, y: { label: 'f', log: positive }, height: 280, line: step }));
  values.say(t('web.descent.values_summary', { list: shown.descents.map(d => `${d.name}: ${d.kind}`).join('; ') }));
  values.table(() => ({
    head: [t('web.descent.step_head'), ...shown.descents.map(d => d.name)],
    body: Array.from({ length: last() + 1 }, (_, k) => [String(k), ...shown.descents.map(d => d.descent.steps[k]?.value ?? null)]),
  }));
}

/** What each optimizer knows at this step: gradient, memory, the step it takes. */
function drawState(step) {
  const words = list => list && list.length ? list.map(x => num(x)).join(', ') : '–';
  const rows = shown.descents.map(d => { const s = at(d, step); return [d.name, words(s.gradient), s.memory.map(m => `${m.name} = ${words(m.values)}`).join('; ') || '–', words(s.change)]; });
  const head = ['web.descent.optimizer', 'web.descent.gradient', 'web.descent.memory', 'web.descent.change'].map(k => t(k));
  memory.draw(el('div', { class: 'cards' }, rows.map(r => el('div', { class: 'card' }, el('strong', {}, r[0]), ...[1, 2, 3].map(i => el('div', { class: 'small' }, `${head[i]}: ${r[i]}`))))));
  memory.say(t('web.descent.state_summary', { step }));
  memory.table(() => ({ head, body: rows }));
}
