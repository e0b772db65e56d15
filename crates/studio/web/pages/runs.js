// Runs: train, watch live, compare; every number comes from the run folder, through the same code as the command line's.
import { $, ask, el, lang, newest, num, parse, percent, Refused, showError, t, written } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { lines } from '../lib/chart.js';
import { share } from '../lib/share.js';
import { follow } from '../lib/live.js';
import { kinds, score } from '../lib/training.js';

const STATES = {
  queued: 'web.runs.state_queued', running: 'web.runs.state_running', stopping: 'web.runs.state_stopping', done: 'web.runs.state_done',
  stopped: 'web.runs.state_stopped', interrupted: 'web.runs.state_stopped', failed: 'web.runs.state_failed', diverged: 'web.runs.state_diverged', unknown: 'web.runs.state_unknown',
};
const stateName = s => t(STATES[s] ?? 'web.runs.state_unknown');
const [loss, metric, confusion] = ['loss', 'metric', 'confusion'].map(figure);
const histories = new Map(); // run → its metrics
let watching = null, watched = '', known = [];

const state = bind($('controls'), values => show(values));
const showCommand = share($('share'), () => {
  const { run, with: others } = state.values;
  return others ? ['runs', 'compare', run, ...others.split(',')] : ['runs', 'show', run];
});

/* Start, queue, stop */

$('what').addEventListener('change', choose);
function choose() {
  const equation = $('what').value === 'transport', file = !equation && $('what').value !== 'spirals';
  for (const field of document.querySelectorAll('#start [data-of]')) field.hidden = (field.dataset.of === 'transport') !== equation;
  // A file has its own settings; what is left empty stays as they are.
  for (const id of ['epochs', 'rate', 'batch']) $(id).value = file ? '' : { epochs: '300', rate: written('0.01'), batch: '32' }[id];
}
choose();

const optional = id => { const x = parse($(id).value); return Number.isNaN(x) ? undefined : x; };
const whole = id => { const x = optional(id); return x === undefined ? undefined : Math.round(x); };

$('start').addEventListener('submit', async e => {
  e.preventDefault();
  const what = $('what').value;
  const network = { epochs: whole('epochs'), learning_rate: optional('rate'), batch: whole('batch'), seed: whole('seed') };
  const task = what === 'transport' ? { task: 'transport', preset: 'deck', speed: 1, length: 1, steps: whole('steps') ?? 6000, seed: whole('seed') ?? 1 }
    : what === 'spirals' ? { task: 'spirals', ...network } : { task: 'file', file: what, ...network };
  await begin(task);
});

async function begin(task) {
  try {
    const job = await ask('jobs', task);
    showError($('error'), null);
    state.set({ run: job.run });
    await jobs();
  } catch (error) { showError($('error'), error); }
}

/** The queue, looked at again while anything is in it. */
let again = null, busy = false, shownJobs = '';
async function jobs() {
  clearTimeout(again);
  const { jobs: list, files } = await ask('jobs');
  const what = $('what'), listed = [...what.options].map(o => o.value);
  what.append(...files.filter(f => !listed.includes(f)).map(f => el('option', { value: f }, f)));
  const open = list.filter(j => !['done', 'stopped', 'failed'].includes(j.phase));
  const failed = list.filter(j => j.phase === 'failed').slice(-1);
  const shown = [...open, ...failed];
  // What stays is not replaced: a button that goes away between press and release is not clicked.
  const key = JSON.stringify(shown.map(({ progress, ...job }) => job));
  if (key !== shownJobs) {
    shownJobs = key;
    $('jobs').replaceChildren(...shown.map(job => el('li', {},
      el('span', { class: 'name' }, job.run), el('span', { role: 'status' }, stateName(job.phase)), el('span', { class: 'mono small' }, job.progress),
      open.includes(job) ? el('button', { type: 'button', disabled: job.phase === 'stopping', click: () => stop(job) }, t('web.runs.stop')) : null,
      job.error ? el('div', { class: 'error' }, el('strong', {}, job.error.what), el('div', { class: 'small' }, [job.error.why, job.error.fix].filter(Boolean).join(' '))) : null)));
  } else shown.forEach((job, i) => { $('jobs').children[i].querySelector('.mono').textContent = job.progress; });
  const was = busy;
  busy = open.length > 0;
  if (busy || was) await list_();
  if (busy) again = setTimeout(() => jobs().catch(() => {}), 700);
}

async function stop(job) {
  await ask(`jobs/${job.id}/stop`, {}).catch(e => showError($('error'), e));
  await jobs();
}

/* The list */

async function list_() {
  known = await ask('runs');
  $('none').hidden = known.length > 0;
  if (known.length === 0) { $('list').replaceChildren(); return; }
  const values = state.values, others = values.with ? values.with.split(',') : [];
  const head = ['name', 'kind', 'state', 'progress', 'best', 'changed', 'compare'].map(k => el('th', { scope: 'col', class: 'left' }, t(HEADS[k])));
  const rows = [...known].reverse().map(run => el('tr', { class: run.name === values.run ? 'chosen' : '' },
    el('th', { scope: 'row' }, el('button', { type: 'button', 'aria-pressed': String(run.name === values.run), click: () => state.set({ run: run.name, with: '' }) }, run.name)),
    el('td', { class: 'left' }, run.kind), el('td', { class: 'left' }, stateName(run.status)), el('td', {}, `${run.done}/${run.of}`),
    el('td', { class: 'left' }, run.best ? `${run.best.name} ${score(run.best.name, run.best.value)}` : '–'), el('td', { class: 'left' }, run.changed ?? '–'),
    el('td', {}, run.name === values.run || !values.run ? '' : el('label', { class: 'check' }, el('input', { type: 'checkbox', checked: others.includes(run.name), 'aria-label': t('web.runs.compare_with', { run: run.name }), change: e => compare(run.name, e.target.checked) })))));
  const focused = document.activeElement?.getAttribute('aria-label') ?? (document.activeElement?.closest('#list') ? document.activeElement.textContent : null);
  $('list').replaceChildren(el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows));
  if (focused) [...$('list').querySelectorAll('button, input')].find(e => (e.getAttribute('aria-label') ?? e.textContent) === focused)?.focus();
}
const HEADS = { name: 'web.runs.name_head', kind: 'web.runs.kind', state: 'web.runs.state', progress: 'web.runs.progress', best: 'web.runs.best', changed: 'web.runs.changed', compare: 'web.runs.compare' };

function compare(run, on) {
  const others = new Set(state.values.with ? state.values.with.split(',') : []);
  if (on) others.add(run); else others.delete(run);
  state.set({ with: [...others].slice(0, 5).join(',') });
}

/* One run */

const show = newest(async (signal, values) => {
  $('one').hidden = values.run === '';
  if (values.run === '') { watching?.close(); watching = null; watched = ''; details(values); }
  await list_();
  if (signal.aborted || values.run === '') return;
  showCommand();
  if (watched !== values.run) {
    watched = values.run;
    watching?.close();
    histories.set(values.run, []);
    $('quality').hidden = true;
    showError($('evaluation-error'), null);
    watching = follow(`runs/${encodeURIComponent(values.run)}/events`, event => {
      const history = (histories.get(values.run) ?? []).slice(0, event.from);
      history.push(...event.lines);
      history.begun = event.meta.state !== null; // a run that waits has no files yet
      histories.set(values.run, history);
      if (watched === values.run) draw(event);
    });
  }
  for (const other of values.with ? values.with.split(',') : []) {
    if (!histories.has(other)) histories.set(other, (await ask(`runs/${encodeURIComponent(other)}`, undefined, { signal })).history);
  }
  $('one-title').textContent = values.run;
  if (histories.get(values.run)?.begun) await details(values).catch(e => { if (!(e instanceof Refused)) throw e; showError($('error'), e); });
  draw();
});

const details = newest(async (signal, values) => {
  if (values.run === '') return;
  const { files } = await ask(`runs/${encodeURIComponent(values.run)}`, undefined, { signal });
  const size = bytes => bytes < 10_000 ? `${num(bytes, 4)} B` : bytes < 1e7 ? `${num(bytes / 1e3, 3)} kB` : `${num(bytes / 1e6, 3)} MB`;
  $('files').replaceChildren(...files.map(f => el('li', {}, el('a', { href: `/api/runs/${encodeURIComponent(values.run)}/files/${encodeURIComponent(f.name)}?lang=${lang}` }, f.name), ` (${size(f.bytes)})`)));
  $('model').href = `${$('model').getAttribute('href').split('#')[0]}#run=${encodeURIComponent(values.run)}`;
  await numbers(values, signal);
});

/** The numbers of the best epoch, beside those of the other runs. */
async function numbers(values, signal) {
  const names = [values.run, ...(values.with ? values.with.split(',') : [])];
  const table = $('numbers');
  if (names.length === 1) {
    const { metrics } = await ask(`runs/${encodeURIComponent(values.run)}`, undefined, { signal });
    const rows = Object.entries(metrics).filter(([, v]) => typeof v === 'number');
    return table.replaceChildren(el('tbody', {}, rows.map(([k, v]) => el('tr', {}, el('th', { scope: 'row' }, k), el('td', {}, score(k, v))))));
  }
  const { settings, metrics } = await ask(`runs/compare?runs=${names.map(encodeURIComponent).join(',')}`, undefined, { signal });
  const best = (name, row) => { const known = row.filter(v => typeof v === 'number'); return known.length ? (name.endsWith('accuracy') ? Math.max(...known) : Math.min(...known)) : null; };
  const line = (name, cells) => el('tr', {}, el('th', { scope: 'row' }, name), cells.map(c => el('td', {}, c)));
  table.replaceChildren(
    el('thead', {}, el('tr', {}, el('td', {}), names.map(n => el('th', { scope: 'col' }, n)))),
    el('tbody', {}, Object.entries(settings).map(([k, row]) => line(k, row.map(v => v ?? '–'))),
      Object.entries(metrics).map(([k, row]) => line(k, row.map(v => typeof v === 'number' ? `${score(k, v)}${v === best(k, row) ? ' ★' : ''}` : '–')))));
}

/** An exponential mean, corrected at its beginning. */
function smooth(points, share) {
  let mean = 0, weight = 0;
  return share === 0 ? points : points.map(([x, y]) => { mean = share * mean + (1 - share) * y; weight = share * weight + 1 - share; return [x, mean / weight]; });
}

function draw(event) {
  const values = state.values;
  const run = values.run, history = histories.get(run) ?? [];
  if (event) {
    const status = event.running ? 'running' : event.meta.state === null ? 'queued' : event.meta.state === 'training' ? 'stopped' : event.meta.state;
    $('state').textContent = stateName(status);
    $('resume').hidden = event.running || !['interrupted', 'training'].includes(event.meta.state);
    $('remove').hidden = event.running || event.meta.state === null;
    $('evaluate').hidden = event.running || event.meta.state !== 'done';
    if (!event.running && history.begun) details(values).catch(() => {});
  }
  const others = values.with ? values.with.split(',').filter(o => histories.has(o)) : [];
  const { losses: wanted, others: rest } = kinds(history.at(-1));
  const at = l => l.epoch ?? l.step, xLabel = history[0]?.epoch === undefined ? t('web.runs.step') : t('web.runs.epoch');
  const series = (name, key, lines) => ({ name, points: smooth(lines.filter(l => typeof l[key] === 'number').map(l => [at(l), l[key]]), Number(values.smooth)) });
  const chart = (place, wanted, title, log) => {
    const shown = others.length ? wanted.filter(k => k.startsWith('val_')).concat(wanted).slice(0, 1) : wanted;
    const all = shown.flatMap(k => others.length ? [run, ...others].map(r => series(`${r} · ${k}`, k, histories.get(r))) : [series(k, k, history)]);
    place.root.hidden = wanted.length === 0 && history.length > 0;
    place.draw(lines({ series: all.length ? all : [{ name: '', points: [] }], x: { label: xLabel, low: 0 }, y: { label: others.length ? shown[0] : title, log } }));
    const last = history.at(-1);
    place.say(last && wanted.length ? t('web.runs.now', { at: `${xLabel} ${at(last)}`, numbers: wanted.map(k => `${k} ${score(k, last[k])}`).join(', ') }) : '');
    place.table(() => ({ head: [xLabel, ...wanted], body: history.map(l => [String(at(l)), ...wanted.map(k => l[k])]) }));
  };
  chart(loss, wanted, t('web.runs.loss'), values.log);
  const first = rest[0];
  chart(metric, rest.filter(k => k === first || k === `val_${first}`), first ?? '', ['relative_l2', 'errors'].includes(first) && values.log);
}

$('resume').addEventListener('click', () => begin({ task: 'resume', run: state.values.run }));
$('remove').addEventListener('click', async () => {
  const { run, with: others } = state.values;
  if (!confirm(t('web.runs.really', { run }))) return;
  state.set({ run: '', with: '' }); // from here on nothing is asked of it
  try {
    await ask(`runs/${encodeURIComponent(run)}`, undefined, { method: 'DELETE' });
    histories.delete(run);
    showError($('error'), null);
    await list_();
  } catch (e) { state.set({ run, with: others }); showError($('error'), e); }
});

/* How good it is */

$('evaluate').addEventListener('click', async () => {
  const button = $('evaluate');
  button.disabled = true;
  try {
    const e = await ask(`runs/${encodeURIComponent(state.values.run)}/evaluation`);
    showError($('evaluation-error'), null);
    matrix(e);
  } catch (e) { showError($('evaluation-error'), e); }
  button.disabled = false;
});

function matrix(e) {
  $('quality').hidden = false;
  const classes = e.classes ?? [], counts = e.confusion ?? [];
  if (classes.length === 0) {
    confusion.draw(el('p', { class: 'mono' }, Object.entries(e).filter(([, v]) => typeof v === 'number').map(([k, v]) => `${k} ${score(k, v)}`).join('   ')));
    confusion.say('');
    return confusion.table(() => ({ head: [t('web.runs.name_head'), ''], body: Object.entries(e).filter(([, v]) => typeof v === 'number').map(([k, v]) => [k, v]) }));
  }
  const names = classes.map(c => typeof c === 'string' ? c : c.name);
  const rows = counts.map(r => r.reduce((a, b) => a + b, 0));
  const shade = (n, all) => { const share = Math.round(40 * (all ? n / all : 0)); const s = el('span', {}, String(n)); s.style.background = `color-mix(in srgb, var(--series-1) ${share}%, var(--raised))`; return s; };
  const grid = el('div', { class: 'confusion' }, el('span', { class: 'head' }, ''), names.map(n => el('span', { class: 'head' }, n)), counts.map((r, i) => [el('span', { class: 'head' }, names[i]), r.map(n => shade(n, rows[i]))]));
  grid.style.gridTemplateColumns = `minmax(4rem, auto) repeat(${names.length}, minmax(2.2rem, 1fr))`;
  confusion.picture.tabIndex = 0; // it scrolls where there are many classes
  confusion.picture.classList.add('wide');
  confusion.draw(grid);
  const right = counts.reduce((s, r, i) => s + r[i], 0), all = rows.reduce((a, b) => a + b, 0);
  confusion.say(t('web.runs.right', { right, all, share: percent(right / all, 4) }));
  confusion.table(() => ({ head: [t('web.runs.truth'), ...names], body: counts.map((r, i) => [names[i], ...r.map(String)]) }));
}

jobs().catch(e => showError($('error'), e));
