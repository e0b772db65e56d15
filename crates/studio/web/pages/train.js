// The playground: asks the server for some epochs more, again and again, and shows what the network answers everywhere.
import { $, ask, el, num, parse, percent, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { lines } from '../lib/chart.js';
import { mark } from '../lib/plane.js';
import { paint, stack } from '../lib/cells.js';
import { share } from '../lib/share.js';

const [decision, losses, neurons, confusion, multiples] = ['decision', 'losses', 'neurons', 'confusion', 'multiples'].map(figure);
const CLASSES = [[92, 157, 187], [233, 154, 85], [131, 170, 94], [168, 122, 179], [201, 176, 64], [130, 139, 150], [90, 180, 190], [220, 120, 120], [150, 110, 80], [200, 200, 200]];
let run = null, history = [], shown = null, key = '', pending = false;

const state = bind($('controls'), v => changed(v));
const list = (text, read) => text.split(',').map(x => x.trim()).filter(Boolean).map(read);
const network = v => ({
  data: v.data, own: v.data === 'own' ? v.own : '', points: Math.round(v.points), noise: v.noise, test: v.test, features: list(v.features, x => x),
  hidden: v.hidden.trim() === '0' ? [] : list(v.hidden, Number), activation: v.activation, optimizer: v.optimizer, learning_rate: v.rate, batch: Math.round(v.batch), seed: Math.round(v.seed),
});
const showCommand = share($('share'), () => {
  const v = state.values;
  const points = v.data === 'own' ? ['--csv', 'points.csv'] : ['--data', v.data, '--points', String(Math.round(v.points)), '--noise', String(v.noise)];
  return ['playground', ...points, '--test', String(v.test), '--features', v.features, '--hidden', v.hidden, '--activation', v.activation,
    '--optimizer', v.optimizer, '--learning-rate', String(v.rate), '--batch', String(Math.round(v.batch)), '--epochs', String(Math.round(v.epochs)), '--seed', String(Math.round(v.seed))];
});

/** Another network: it begins again. More epochs of the same one do not. */
function changed(v) {
  $('own-points').hidden = v.data !== 'own';
  $('drawn-points').hidden = v.data === 'own';
  showCommand();
  const now = JSON.stringify(network(v));
  if (now === key) return;
  key = now;
  stop();
  history = [];
  more(0);
}

function stop() {
  run = null;
  $('play').textContent = t('web.train.start');
}

/** Trains `n` epochs more and shows them. */
async function more(n) {
  if (pending) return false;
  pending = true;
  const mine = key, epoch = history.length;
  try {
    const answer = await ask('lessons/train', { network: network(state.values), epoch, more: n });
    if (mine !== key) return false;
    shown = answer;
    history.push(...answer.epochs);
    showError($('error'), null);
    draw();
    return true;
  } catch (e) {
    stop();
    if (mine === key) showError($('error'), e);
    return false;
  } finally {
    pending = false;
    if (mine !== key) more(0);
  }
}

$('play').addEventListener('click', async () => {
  if (run) return stop();
  const mine = run = {};
  $('play').textContent = t('web.ui.pause');
  const last = () => Math.round(state.values.epochs);
  if (history.length >= last()) history = [];
  while (run === mine && history.length < last()) {
    const left = last() - history.length;
    if (document.hidden) { await new Promise(r => setTimeout(r, 300)); continue; }
    if (!await more(Math.min(left, Math.max(1, Math.round(last() / 60))))) { await new Promise(r => setTimeout(r, 50)); }
  }
  if (run === mine) stop();
});
$('once').addEventListener('click', () => { stop(); more(1); });
$('reset').addEventListener('click', () => { stop(); history = []; more(0); });

let picture = null;

function draw() {
  const a = shown, { at, class: of, classes } = a.points, last = history[history.length - 1];
  const [vx, vy] = a.view, px = x => 480 * (x - vx[0]) / (vx[1] - vx[0]), py = y => 480 - 480 * (y - vy[0]) / (vy[1] - vy[0]);
  if (!picture) {
    picture = stack(svg('svg', { viewBox: '0 0 480 480', class: 'chart', 'aria-hidden': 'true', focusable: 'false' }));
    picture.root.classList.add('square');
    picture.root.lastChild.addEventListener('click', add);
  }
  if (a.decision.length === 1) paint(picture.canvas, a.decision[0], a.cells, 0, 1);
  else {
    const best = a.decision[0].map((_, i) => a.decision.reduce((m, d, k) => d[i] > a.decision[m][i] ? k : m, 0));
    const sure = a.decision[0].map((_, i) => Math.max(...a.decision.map(d => d[i])));
    paint(picture.canvas, best, a.cells, 0, 1, (_, i) => CLASSES[best[i]].map(x => Math.round(255 - (255 - x) * sure[i])));
  }
  picture.root.lastChild.replaceChildren(...at.map((p, i) => { const m = mark(of[i], px(p[0]), py(p[1]), a.held_out[i] ? 3.5 : 4.5); m.classList.add('point'); if (a.held_out[i]) m.classList.add('held'); return m; }));
  const legend = el('ul', { class: 'legend' }, classes.map((c, i) => { const m = mark(i, 10, 7); m.classList.add('point'); return el('li', {}, svg('svg', { viewBox: '0 0 20 14', class: 'chart', 'aria-hidden': 'true' }, m), t('web.train.class', { name: c })); }));
  decision.draw(el('div', {}, picture.root, legend));
  const score = last ? t('web.train.scores', { train: num(last.train.loss, 3), test: num(last.test.loss, 3), accuracy: percent(last.test.accuracy) }) : t('web.train.untrained');
  decision.say(t('web.train.summary', { epoch: history.length, iterations: a.iterations, scores: score }));
  $('status').textContent = t('web.train.status', { epoch: history.length, steps: history.length * a.iterations });
  decision.table(() => ({ head: ['x', 'y', t('web.train.class_head'), t('web.train.kept')], body: at.slice(0, 200).map((p, i) => [num(p[0]), p[1], classes[of[i]], a.held_out[i] ? t('web.train.for_test') : '']) }));
  drawLosses();
  drawNeurons(a);
  drawConfusion(a, classes);
}

function drawLosses() {
  const series = [{ name: t('web.train.train_loss'), points: history.map(e => [e.epoch, e.train.loss]) }, { name: t('web.train.test_loss'), points: history.map(e => [e.epoch, e.test.loss]) }];
  losses.draw(lines({ series, x: { label: t('web.train.epoch'), low: 0, high: Math.max(10, history.length) }, y: { label: t('web.train.loss'), log: true }, height: 260 }));
  const last = history[history.length - 1];
  losses.say(last ? t('web.train.losses_summary', { first: num(history[0].train.loss, 3), last: num(last.train.loss, 3), test: num(last.test.loss, 3) }) : t('web.train.untrained'));
  const every = Math.max(1, Math.ceil(history.length / 50));
  losses.table(() => ({
    head: ['web.train.epoch', 'web.train.train_loss', 'web.train.test_loss', 'web.train.accuracy'].map(k => t(k)),
    body: history.filter((_, i) => i % every === 0 || i === history.length - 1).map(e => [String(e.epoch), e.train.loss, e.test.loss, e.test.accuracy]),
  }));
}

/** Each hidden neuron's answer over the plane. Canvases are kept: only their colours change. */
function drawNeurons(a) {
  const shape = JSON.stringify(a.layers.map(l => l.length));
  if (neurons.picture.dataset.shape !== shape) {
    neurons.picture.dataset.shape = shape;
    neurons.draw(el('div', { class: 'layers' }, a.layers.map((l, i) => el('div', { class: 'layer' }, el('div', { class: 'small' }, t('web.train.layer', { layer: i + 1 })), el('div', { class: 'maps' }, l.map(() => el('canvas', { class: 'cells', 'aria-hidden': 'true' })))))));
  }
  const all = neurons.picture.querySelectorAll('canvas');
  let k = 0;
  for (const layer of a.layers) for (const map of layer) {
    const size = map.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-6);
    paint(all[k++], map, a.small, -size, size);
  }
  neurons.say(a.layers.length ? t('web.train.neurons_summary', { layers: a.layers.map(l => l.length).join(' + ') }) : t('web.train.no_neurons'));
  neurons.table(() => ({
    head: [t('web.train.neuron'), t('web.train.bias'), t('web.train.weights')],
    body: a.parameters.flatMap((p, l) => p.weights.map((w, n) => [l < a.layers.length ? `${l + 1}.${n + 1}` : t('web.train.output', { n: n + 1 }), p.biases[n], w.map(x => num(x, 3)).join('  ')])),
  }));
}

function drawConfusion(a, classes) {
  const n = classes.length, rows = classes.map((c, i) => [c, ...classes.map((_, j) => String(a.confusion[i * n + j]))]);
  const head = [t('web.train.actual'), ...classes.map(c => t('web.train.as', { name: c }))];
  const most = Math.max(1, ...a.confusion);
  confusion.draw(svg('svg', { viewBox: `0 0 ${120 + 90 * n} ${40 + 44 * n}`, width: 120 + 90 * n, class: 'chart confusion', 'aria-hidden': 'true', focusable: 'false' },
    classes.map((c, j) => svg('text', { x: 165 + 90 * j, y: 24, 'text-anchor': 'middle' }, head[j + 1])),
    classes.map((c, i) => [svg('text', { x: 110, y: 66 + 44 * i, 'text-anchor': 'end' }, c), classes.map((_, j) => {
      const x = a.confusion[i * n + j];
      return [svg('rect', { class: i === j ? 'f1' : 'f2', 'fill-opacity': (0.12 + 0.4 * x / most).toFixed(2), x: 122 + 90 * j, y: 40 + 44 * i, width: 86, height: 40 }), svg('text', { x: 165 + 90 * j, y: 65 + 44 * i, 'text-anchor': 'middle' }, String(x))];
    })])));
  const right = classes.reduce((s, _, i) => s + a.confusion[i * n + i], 0), all = a.confusion.reduce((s, x) => s + x, 0);
  confusion.say(t('web.train.confusion_summary', { right, all }));
  confusion.table(() => ({ head, body: rows }));
}

/** A click adds a point of the class that is written, once the points are one's own. */
function add(e) {
  if (!shown) return;
  const v = state.values, box = e.currentTarget.getBoundingClientRect(), [vx, vy] = shown.view;
  const x = vx[0] + (e.clientX - box.left) / box.width * (vx[1] - vx[0]), y = vy[1] - (e.clientY - box.top) / box.height * (vy[1] - vy[0]);
  const { at, class: of, classes } = shown.points;
  const before = v.data === 'own' ? v.own.trimEnd() : at.map((p, i) => `${p[0].toPrecision(4)},${p[1].toPrecision(4)},${classes[of[i]]}`).join('\n');
  state.set({ data: 'own', own: `${before}\n${x.toPrecision(4)},${y.toPrecision(4)},${$('class').value.trim().replaceAll(/[\s,;]/g, '_') || '1'}` });
}

$('grid').addEventListener('click', async () => {
  $('grid').disabled = true;
  try {
    const rates = list($('rates').value, parse), batches = list($('batches').value, Number);
    const a = await ask('lessons/rates', { network: network(state.values), rates, batches, epochs: Math.round(parse($('grid-epochs').value)) });
    showError($('grid-error'), null);
    drawGrid(a.runs, rates, batches);
  } catch (e) {
    showError($('grid-error'), e);
  }
  $('grid').disabled = false;
});

function drawGrid(runs, rates, batches) {
  const all = runs.flatMap(r => r.epochs.map(e => e.train.loss)).filter(x => x > 0), low = Math.max(1e-6, Math.min(...all)), high = Math.min(1e3, Math.max(...all));
  multiples.draw(el('div', { class: 'cards' }, batches.map(b => {
    const of = runs.filter(r => r.batch === b);
    const series = of.map(r => ({ name: num(r.learning_rate), points: r.epochs.map(e => [e.epoch, e.train.loss]) }));
    return el('div', {}, el('div', { class: 'small' }, t('web.train.panel', { batch: b, iterations: of[0]?.iterations ?? 0 })), lines({ series, x: { label: t('web.train.epoch') }, y: { label: t('web.train.loss'), log: true, low, high }, height: 300 }));
  })));
  const end = r => r.epochs[r.epochs.length - 1];
  const best = runs.filter(r => !r.diverged && end(r)).sort((p, q) => end(p).test.loss - end(q).test.loss)[0];
  multiples.say(best ? t('web.train.multiples_summary', { rate: num(best.learning_rate), batch: best.batch, loss: num(end(best).test.loss, 3) }) : t('web.train.all_diverged'));
  multiples.table(() => ({
    head: ['web.train.batch', 'web.train.rate', 'web.train.iterations', 'web.train.test_loss', 'web.train.accuracy'].map(k => t(k)),
    body: runs.map(r => [String(r.batch), r.learning_rate, r.iterations, r.diverged ? t('web.train.diverged') : end(r)?.test.loss ?? null, r.diverged ? null : end(r)?.test.accuracy ?? null]),
  }));
}
