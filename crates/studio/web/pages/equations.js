// Equations: one of the gallery or one's own, solved as a training of the queue and watched; then maps, a cut, errors and losses.
import { $, ask, el, lang, newest, num, Refused, showError, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { heat, scatter } from '../lib/heat.js';
import { lines } from '../lib/chart.js';
import { share } from '../lib/share.js';
import { course, training } from '../lib/training.js';

const [solution, exact, difference, slice, losses, error] = ['solution', 'exact', 'difference', 'slice', 'losses', 'error'].map(figure);
let solved = null, history = [], shown = '', saved = null, touched = false;

// The choices must be there before the address is read.
const gallery = await ask('equations').catch(() => []);
$('equation').replaceChildren(...gallery.map(e => el('option', { value: e.name }, e.title)));
const state = bind($('controls'), values => update(values));
const example = () => gallery.find(e => e.name === state.values.equation) ?? gallery[0];
const edited = () => $('text').value !== example()?.text;
// One's own text stands in the address, so that a link leads to it; a run has its text with it.
const own = () => edited() ? $('text').value : '';
const showCommand = share($('share'), () => ['solve', !edited() ? state.values.equation : solved?.text === $('text').value ? `runs/samples/${solved.run}.toml` : 'FILE.toml']);
const watch = training({
  task: () => ({ task: 'solve', name: state.values.equation, text: $('text').value }),
  chosen: run => state.set({ run, own: '' }),
  numbers: l => [`${t('web.ui.loss')} ${num(l.loss, 3)}`, Number.isFinite(l.relative_l2) ? `${t('web.equations.relative_l2')} ${num(l.relative_l2, 3)}` : null, `${num(l.seconds, 3)} s`].filter(Boolean).join(', '),
  show: (all, event) => {
    history = all;
    const key = event && `${state.values.run} ${event.meta.step} ${event.meta.state}`;
    if (event && event.meta.state !== null && key !== saved) { saved = key; load(state.values.run); }
    curves();
  },
});

function update(values) {
  const key = `${values.equation} ${values.run}`;
  if (key !== shown) {
    shown = key;
    if (solved?.run !== values.run) solved = saved = null;
    if (values.run === '') write(values.own || (example()?.text ?? ''));
    watch(values.run);
  } else if (values.run === '' && values.own !== own()) write(values.own || example().text);
  draw(values);
}

/* The text, and what it says */

function write(text) {
  [$('text').value, touched] = [text, false];
  check();
}

const check = newest(async signal => {
  $('restore').disabled = !edited();
  const text = $('text').value;
  try {
    const said = await ask('equations/check', { name: state.values.equation, text }, { signal });
    mistake(said.mistake ? new Refused(said.mistake) : null);
    $('facts').textContent = said.mistake ? '' : facts(said);
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    mistake(e);
  }
  showCommand();
});

function facts({ axes, unknowns, steps, graded, absent }) {
  const ranges = axes.map(a => `${a.name} ∈ [${num(a.low, 5)}${lang === 'es' ? ';' : ','} ${num(a.high, 5)}]`).join(', ');
  const grade = absent ? t('web.equations.absent', { path: absent }) : t(graded ? 'web.equations.graded' : 'web.equations.nothing');
  return `${t('web.equations.facts', { ranges, unknowns: unknowns.join(', '), steps: num(steps, 9) })} ${grade}`;
}

/** What is wrong, with a button that leads to the place. */
function mistake(e) {
  showError($('mistake'), e);
  $('text').setAttribute('aria-invalid', String(e !== null));
  const place = /\.toml:(\d+):(\d+)/.exec(e?.message ?? '');
  $('go').hidden = !place;
  if (place) $('go').textContent = t('web.equations.go', { line: place[1], column: place[2] });
}

$('go').addEventListener('click', () => {
  const [line, column] = $('go').textContent.match(/\d+/g).map(Number), all = $('text').value.split('\n');
  const from = all.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + column - 1;
  $('text').focus();
  $('text').setSelectionRange(from, Math.max(from + 1, from - column + 1 + (all[line - 1]?.length ?? 0)));
});

let late = null;
$('text').addEventListener('input', () => { touched = true; $('own').value = own(); clearTimeout(late); late = setTimeout(check, 300); });
for (const [id, event] of [['restore', 'click'], ['equation', 'change']]) {
  $(id).addEventListener(event, () => { state.set({ run: '', own: '' }); write(example().text); });
}

/* What was found */

const load = newest(async (signal, run) => {
  try {
    const answer = await ask(`equations/runs/${encodeURIComponent(run)}`, undefined, { signal });
    if (state.values.run !== run) return;
    solved = answer;
    if (!touched && answer.text !== $('text').value) write(state.values.own || answer.text);
    $('unknown').replaceChildren(...answer.unknowns.map((u, i) => el('option', { value: String(i), selected: String(i) === state.values.unknown }, u.name)));
    numbers();
    draw(state.values);
    curves();
    showCommand();
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    showError($('train-error'), e);
  }
});

function numbers() {
  const rows = [
    ...solved.unknowns.flatMap(u => u.relative_l2 === null ? [] : [[t('web.equations.relative_l2_of', { name: u.name }), num(u.relative_l2, 3)], [t('web.equations.max_error_of', { name: u.name }), num(u.max_error, 3)]]),
    ...solved.fitted.map(f => [f.name, f.deviation === null ? num(f.value, 6) : `${num(f.value, 6)} ± ${num(1.96 * f.deviation, 2)}`]),
    [t('web.equations.residual'), num(solved.residuals[0], 3)],
    [t('web.equations.residual_elsewhere'), num(solved.residuals[1], 3)],
    [t('web.equations.steps'), num(solved.step, 9)],
  ];
  $('numbers').replaceChildren(el('tbody', {}, rows.map(([name, value]) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, value)))));
  $('doubtful').hidden = !solved.doubtful;
}

function draw(values) {
  $('solved').hidden = !solved;
  $('none').hidden = Boolean(solved);
  if (!solved) { $('numbers').replaceChildren(); $('doubtful').hidden = true; return; }
  const u = solved.unknowns[Number(values.unknown)] ?? solved.unknowns[0], { places } = u, sizes = places.map(p => p.length);
  $('which').hidden = solved.unknowns.length === 1;
  const at = places.map((p, k) => k === 0 ? 0 : Math.round(values[`at${k}`] * (p.length - 1)));
  for (const k of [1, 2, 3]) {
    const slider = $(`at${k}`).closest('.slider'), label = k < places.length ? t('web.equations.along', { name: solved.axes[k], value: num(places[k][at[k]], 4) }) : '';
    slider.hidden = k >= places.length;
    slider.querySelector('label').textContent = label;
    $(`at${k}-range`).setAttribute('aria-label', label);
  }
  const index = (i, j) => sizes.reduce((n, size, k) => n * size + (k === 0 ? i : k === 1 ? j : at[k]), 0);
  const cut = list => places[0].map((x, i) => [x, list[index(i, at[1] ?? 0)]]);
  const finite = (u.exact ?? u.scattered?.exact ?? u.values).filter(v => v !== null);
  const low = finite.reduce((m, v) => Math.min(m, v), Infinity), high = finite.reduce((m, v) => Math.max(m, v), -Infinity);
  const view = { u, places, index, cut, mark: at[1], low, high: high > low ? high : low + 1 };
  const here = places.length > 2 ? t('web.equations.here', { places: places.slice(2).map((p, k) => `${solved.axes[k + 2]} = ${num(p[at[k + 2]], 4)}`).join(', ') }) : '';
  show(solution, u.values, null, view, `${t('web.equations.solution_says', { name: u.name, low: num(low, 3), high: num(high, 3) })} ${here}`);
  show(exact, u.exact, u.scattered?.exact, view, t('web.equations.exact_says', { count: num((u.exact ?? u.scattered?.exact ?? []).length, 7) }));
  show(difference, u.difference, u.scattered?.difference, { ...view, low: null, high: null }, u.max_error === null ? '' : t('web.equations.difference_says', { error: num(u.max_error, 3), relative: num(u.relative_l2, 3) }));
  const series = [{ name: u.name, points: cut(u.values), mark: 2 }, ...u.exact ? [{ name: t('web.equations.exact'), points: cut(u.exact), mark: 1 }] : []];
  slice.root.hidden = places.length === 1;
  slice.draw(lines({ series, x: { label: solved.axes[0], low: places[0][0], high: places[0].at(-1) }, y: { label: u.name, low: low - 0.05 * (view.high - low), high: view.high + 0.05 * (view.high - low) } }));
  slice.say(t('web.equations.slice_says', { places: places.slice(1).map((p, k) => `${solved.axes[k + 1]} = ${num(p[at[k + 1]], 4)}`).join(', ') }));
  slice.table(() => ({ head: [solved.axes[0], ...series.map(s => s.name)], body: some(places[0].length, 21).map(i => [num(places[0][i], 4), ...series.map(s => s.points[i][1])]) }));
}

/** At most `count` of `n` numbers from 0 on, both ends among them. */
const some = (n, count) => Array.from({ length: Math.min(n, count) }, (_, i) => n < 2 ? 0 : Math.round(i * (n - 1) / (Math.min(n, count) - 1)));

/** A map over the first two variables, a curve over one alone, or scattered points; what is not known is not shown. */
function show(place, list, scattered, { u, places, index, cut, mark, low, high }, said) {
  const [x, y] = solved.axes;
  place.root.hidden = !list && !(scattered && places.length === 2);
  if (place.root.hidden) return;
  place.say(said);
  if (list && places.length === 1) {
    place.draw(lines({ series: [{ name: u.name, points: cut(list) }], x: { label: x, low: places[0][0], high: places[0].at(-1) }, y: { label: u.name } }));
    return place.table(() => ({ head: [x, u.name], body: some(places[0].length, 41).map(i => [num(places[0][i], 4), list[i]]) }));
  }
  if (!list) {
    const points = u.scattered.points, ends = p => [p[0], p.at(-1)];
    place.draw(scatter({ points, values: scattered, across: ends(places[0]), up: ends(places[1]), low, high, x, y }));
    return place.table(() => ({ head: [x, y, u.name], body: some(scattered.length, 200).map(i => [num(points[0][i], 4), points[1][i], scattered[i]]) }));
  }
  const [n, m] = [places[0].length, places[1].length];
  const values = Array.from({ length: n * m }, (_, k) => list[index(k % n, Math.floor(k / n))]);
  place.draw(heat({ values, width: n, upward: true, mark, x, y, low, high }));
  const [across, up] = [some(n, 7), some(m, 9)];
  place.table(() => ({ head: [y, ...across.map(i => `${x} = ${num(places[0][i], 3)}`)], body: up.map(j => [num(places[1][j], 4), ...across.map(i => list[index(i, j)])]) }));
}

function curves() {
  const names = solved?.losses ?? [];
  course(losses, history, [{ name: t('web.equations.all'), of: l => l.loss }, ...names.map((name, i) => ({ name, of: l => l.terms[i] }))], { label: t('web.equations.loss') });
  course(error, history, [{ name: t('web.equations.relative_l2'), of: l => l.relative_l2 ?? NaN }], { label: t('web.equations.relative_l2') });
}
