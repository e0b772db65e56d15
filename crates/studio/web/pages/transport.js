// The transport equation: a network that is trained from the equation alone, beside the exact solution and the upwind scheme.
import { $, ask, el, newest, num, percent, showError, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { heat } from '../lib/heat.js';
import { lines } from '../lib/chart.js';
import { share } from '../lib/share.js';
import { course, training } from '../lib/training.js';

const [network, exact, difference, profile, losses] = ['network', 'exact', 'difference', 'profile', 'losses'].map(figure);
const NAMES = { pde: 'web.transport.loss_pde', boundary: 'web.transport.loss_boundary', initial: 'web.transport.loss_initial' };
let fields = null, asked = '', history = [], ready = '';

const state = bind($('controls'), values => update(values));
const showCommand = share($('share'), () => {
  const { preset, steps, seed, speed, length } = state.values;
  return ['train', 'pinn', '--preset', preset, '--steps', steps, '--seed', seed, '--set', `problem.speed=${speed}`, '--set', `problem.length=${length}`].map(String);
});

const watch = training({
  chosen: run => state.set({ run }),
  numbers: l => `${t('web.transport.loss')} ${num(l.total, 3)}, ${num(l.seconds, 3)} s`,
  task: () => { const { preset, steps, seed, speed, length } = state.values; return { task: 'transport', preset, speed, length, steps: Math.round(steps), seed: Math.round(seed) }; },
  show: (lines, event) => {
    history = lines;
    if (event?.meta.step > 0) ready = state.values.run;
    if (event) load(state.values);
  },
});

async function update(values) {
  showCommand();
  watch(values.run);
  // The sliders show another equation than the run's as soon as they are moved.
  const key = JSON.stringify([values.run, values.speed, values.length]);
  if (key !== asked) { asked = key; await load(values); } else draw(values);
}

const load = newest(async (signal, values) => {
  try {
    const solved = values.run && ready === values.run; // before its first save a run has no weights
    let answer = await ask('transport', { speed: values.speed, length: values.length, run: solved ? values.run : null }, { signal });
    if (solved && (answer.speed !== values.speed || answer.length !== values.length)) {
      if (fields?.run !== values.run) { // a link to a run: its equation
        asked = JSON.stringify([values.run, answer.speed, answer.length]);
        fields = { ...answer, run: values.run };
        return state.set({ speed: answer.speed, length: answer.length });
      }
      answer = await ask('transport', { speed: values.speed, length: values.length, run: null }, { signal });
      fields = answer;
      asked = JSON.stringify(['', values.speed, values.length]);
      return state.set({ run: '' });
    }
    fields = { ...answer, run: values.run };
    showError($('error'), null);
    draw(values);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    showError($('error'), e);
  }
});

function draw(values) {
  if (!fields) return;
  const { side, speed, length } = fields, row = Math.round(values.time * (side - 1));
  const labels = { x: t('web.transport.axis_x'), y: t('web.transport.axis_t') };
  const map = (place, list, options) => place.draw(heat({ values: list, width: side, upward: true, mark: row, ...labels, ...options }));
  const every = [0, 16, 32, 48, 64], at = i => num(i / (side - 1), 3);
  const table = list => () => ({ head: [t('web.transport.axis_t'), ...every.map(j => `x = ${num(j / (side - 1) * length, 3)}`)], body: every.map(i => [at(i), ...every.map(j => list[i * side + j])]) });
  map(exact, fields.exact, { low: -1, high: 1 });
  exact.say(t('web.transport.exact_says', { speed: num(speed, 3), length: num(length, 3) }));
  exact.table(table(fields.exact));
  const solved = fields.network;
  if (solved) {
    map(network, solved.values, { low: -1, high: 1 });
    map(difference, solved.difference, {});
    network.say(t('web.transport.network_says', { error: num(solved.relative_l2, 3) }));
    difference.say(t('web.transport.difference_says', { error: num(solved.max_error, 3) }));
    network.table(table(solved.values));
    difference.table(table(solved.difference));
  } else {
    for (const place of [network, difference]) { place.draw(el('p', { class: 'empty' }, t('web.transport.unsolved'))); place.say(''); place.table(() => ({ head: [], body: [] })); }
  }
  const slice = list => list.slice(row * side, (row + 1) * side).map((v, j) => [j / (side - 1) * length, v]);
  const series = [{ name: t('web.transport.exact'), points: slice(fields.exact), mark: 1 }];
  if (solved) series.push({ name: t('web.transport.network'), points: slice(solved.values), mark: 2 });
  if (fields.upwind) series.push({ name: t('web.transport.upwind'), points: slice(fields.upwind.values), mark: 3 });
  profile.draw(lines({ series, x: { label: 'x', low: 0, high: length }, y: { label: 'φ', low: -1.2, high: 1.2 } }));
  profile.say(t('web.transport.profile_says', { t: at(row), upwind: fields.upwind ? percent(fields.upwind.relative_l2) : '–', network: solved ? percent(solved.relative_l2) : '–' }));
  profile.table(() => ({ head: ['x', ...series.map(s => s.name)], body: every.map(j => [num(j / (side - 1) * length, 3), ...series.map(s => s.points[j][1])]) }));
  course(losses, history, Object.entries(NAMES).map(([key, name]) => ({ name: t(name), of: l => l[key] })), { label: t('web.transport.loss') });
}
