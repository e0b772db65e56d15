// Losses: a line through points, what each loss says of it, and the cross-entropy of some logits.
import { $, ask, el, newest, num, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { lines } from '../lib/chart.js';
import { drag, line, mark, plane } from '../lib/plane.js';
import { share } from '../lib/share.js';

const [fit, curves, entropy, binary] = ['fit', 'curves', 'entropy', 'binary'].map(figure);
const NAMES = { mse: t('web.losses.mse'), mae: t('web.losses.mae'), huber: t('web.losses.huber') };
let shown = null;

const state = bind($('controls'), v => update(v));
const showCommand = share($('share'), () => {
  const v = state.values;
  return ['losses', '--points', v.points, `--line=${v.slope},${v.intercept}`, '--delta', String(v.delta)];
});

const write = points => points.map(p => p.map(x => Number(x.toPrecision(4))).join(',')).join(';');
$('outlier').addEventListener('click', () => { if (shown) state.set({ points: write([...shown.points, [6.5, 12]]) }); });
$('remove').addEventListener('click', () => { if (shown && shown.points.length > 2) state.set({ points: write(shown.points.slice(0, -1)) }); });
['mse', 'mae', 'huber'].forEach((name, k) => $(`take-${name}`).addEventListener('click', () => {
  if (shown) state.set({ slope: shown.best[k].line.slope.toFixed(4), intercept: shown.best[k].line.intercept.toFixed(4) });
}));

const update = newest(async (signal, v) => {
  try {
    shown = await ask('lessons/losses', { points: v.points, slope: v.slope, intercept: v.intercept, delta: v.delta }, { signal });
    showError($('error'), null);
    draw(v);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    showError($('error'), e);
  }
  showCommand();
});

function draw(v) {
  const { points, line: own, best } = shown, xs = points.map(p => p[0]), ys = points.map(p => p[1]);
  const around = all => { const low = Math.min(...all), high = Math.max(...all), room = 0.15 * (high - low) || 1; return [low - room, high + room]; };
  const p = plane({ x: around(xs), y: around(ys), labels: ['x', 'y'] });
  const ends = around(xs), through = l => ends.map(x => [x, l.slope * x + l.intercept]);
  best.forEach((b, i) => p.layer.append(line(through(b.line), p.px, p.py, { class: `curve s${i + 1} thin` })));
  p.layer.append(line(through(own.line), p.px, p.py, { class: 'curve own' }));
  points.forEach(([x, y]) => p.layer.append(svg('line', { class: 'residual', x1: p.px(x), x2: p.px(x), y1: p.py(y), y2: p.py(own.line.slope * x + own.line.intercept) })));
  points.forEach(([x, y]) => p.layer.append(mark(1, p.px(x), p.py(y), 5)));
  const sample = (name, c) => el('li', {}, svg('svg', { viewBox: '0 0 32 12', class: 'chart', 'aria-hidden': 'true' }, svg('path', { class: c, d: 'M0 6H32' })), name);
  fit.draw(el('div', {}, p.root, el('ul', { class: 'legend' }, best.map((b, i) => sample(NAMES[own.losses[i].loss], `curve s${i + 1} thin`)), sample(t('web.losses.own'), 'curve own'))));
  let held = null;
  drag(p.root, p.at, ([x, y], done) => {
    if (held === null) {
      const far = points.map(q => Math.hypot(p.px(q[0]) - p.px(x), p.py(q[1]) - p.py(y)));
      held = far.indexOf(Math.min(...far));
    }
    if (done) { state.set({ points: write(points.map((q, i) => i === held ? [x, y] : q)) }); held = null; }
  });
  fit.say(t('web.losses.fit_summary', { slope: num(own.line.slope), intercept: num(own.line.intercept), list: own.losses.map(l => `${NAMES[l.loss]} ${num(l.value)}`).join(', ') }));
  const pull = l => `${t('web.losses.pull')}: ${NAMES[l.loss]}`;
  fit.table(() => ({
    head: ['x', 'y', t('web.losses.line'), t('web.losses.residual'), ...own.losses.map(pull)],
    body: points.map((q, i) => [num(q[0]), q[1], own.line.slope * q[0] + own.line.intercept, own.residuals[i], ...own.losses.map(l => l.pulls[i])]),
  }));
  const row = (name, r) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, num(r.line.slope)), el('td', {}, num(r.line.intercept)), r.losses.map(l => el('td', {}, num(l.value))));
  const head = [t('web.losses.best'), t('web.losses.slope'), t('web.losses.intercept'), ...Object.values(NAMES)];
  $('best').replaceChildren(el('thead', {}, el('tr', {}, head.map(h => el('th', { scope: 'col' }, h)))),
    el('tbody', {}, best.map((b, i) => row(NAMES[own.losses[i].loss], b)), row(t('web.losses.own'), own)));
  const named = shown.curves.map(c => ({ name: NAMES[c.loss], points: c.points.map(q => [q[0], q[1]]) }));
  const dots = { name: t('web.losses.residuals'), dots: true, mark: 2, points: own.residuals.map(e => [e, 0]) };
  curves.draw(lines({ series: [...named, dots], x: { label: t('web.losses.residual') }, y: { label: t('web.losses.loss') }, height: 300 }));
  curves.say(t('web.losses.curves_summary', { delta: num(v.delta) }));
  curves.table(() => ({
    head: [t('web.losses.residual'), ...shown.curves.flatMap(c => [NAMES[c.loss], `${t('web.losses.slope_of')} ${NAMES[c.loss]}`])],
    body: shown.curves[0].points.filter((_, i) => i % 10 === 0).map((q, i) => [num(q[0]), ...shown.curves.flatMap(c => c.points[10 * i].slice(1))]),
  }));
}

// The second form has a state of its own: the address belongs to the first.
const classes = $('classes');
const askEntropy = newest(async signal => {
  try {
    const a = await ask('lessons/entropy', { logits: classes.elements.logits.value, class: Math.round(Number(classes.elements.class.value)) || 0 }, { signal });
    showError($('entropy-error'), null);
    drawEntropy(a);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    showError($('entropy-error'), e);
  }
});
classes.addEventListener('submit', e => e.preventDefault());
classes.addEventListener('input', e => {
  if (e.target.type === 'range') classes.elements.class.value = e.target.value;
  askEntropy();
});
askEntropy();

function drawEntropy({ entropy: c, curves: by }) {
  const height = 34 * c.logits.length + 10;
  entropy.draw(svg('svg', { viewBox: `0 0 560 ${height}`, class: 'chart', 'aria-hidden': 'true', focusable: 'false' }, c.probabilities.map((p, i) => [
    svg('text', { x: 8, y: 26 + 34 * i }, `${i === c.class ? '→ ' : ''}${i}:  z = ${num(c.logits[i])}`),
    svg('rect', { class: i === c.class ? 'f2' : 'f1', x: 220, y: 10 + 34 * i, width: Math.max(1, 250 * p), height: 22 }),
    svg('text', { x: 550, y: 26 + 34 * i, 'text-anchor': 'end' }, num(p)),
  ])));
  const loss = num(c.loss), p = num(c.probabilities[c.class]);
  entropy.say(t('web.losses.entropy_summary', { class: c.class, p, loss }));
  entropy.table(() => ({
    head: [t('web.losses.class'), 'z', 'p', 't', 'p − t'],
    body: c.logits.map((z, i) => [String(i), z, c.probabilities[i], i === c.class ? 1 : 0, c.gradient[i]]),
  }));
  $('entropy-formula').textContent = `−log ${p} = ${loss}`;
  const names = { cross_entropy_1: t('web.losses.one'), cross_entropy_0: t('web.losses.zero'), squared_sigmoid_1: t('web.losses.square') };
  binary.draw(lines({ series: by.map(b => ({ name: names[b.loss], points: b.points.map(q => [q[0], q[1]]) })), x: { label: 'z' }, y: { label: t('web.losses.loss'), low: 0, high: 6 }, height: 280 }));
  binary.say(t('web.losses.binary_summary'));
  binary.table(() => ({ head: ['z', ...by.flatMap(b => [names[b.loss], `${t('web.losses.slope_of')} ${names[b.loss]}`])], body: by[0].points.filter((_, i) => i % 10 === 0).map((q, i) => [num(q[0]), ...by.flatMap(b => b.points[10 * i].slice(1))]) }));
}
