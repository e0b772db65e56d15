// A training that a page starts as a job of the queue, watches live, stops and resumes: the buttons are those of {{training …}}.
import { lines as chart } from './chart.js';
import { figure } from './figure.js';
import { follow } from './live.js';
import { $, ask, el, num, percent, Refused, showError, t } from './ui.js';

const SAID = { done: 'web.ui.train_done', interrupted: 'web.ui.train_stopped', training: 'web.ui.train_stopped', diverged: 'web.ui.train_diverged' };

/** Where a line of metrics.jsonl stands, and what it is called. */
const place = line => line.epoch ?? line.step;
const unit = line => t(line?.epoch === undefined ? 'web.ui.step' : 'web.ui.epoch');

/**
 * Wires the buttons. `task()` is what to start; `chosen(run)` is told which run the page now shows ('' for none); `show(lines, event)` gets
 * the whole metrics.jsonl whenever there is news, `numbers(line)` says a line of it. Returns `watch(run)`, which shows a run or none.
 */
export function training({ task, chosen, show, numbers = line => said(line) }) {
  const [start, stop, resume, link, status, error] = ['start', 'stop', 'resume', 'link', 'status', 'error'].map(name => $(`train-${name}`));
  const runs = link.getAttribute('href');
  let watched = null, lines = [], source = null, begun = false;

  async function begin(what) {
    start.disabled = true;
    try {
      const job = await ask('jobs', what);
      showError(error, null);
      status.textContent = t('web.ui.train_waits');
      if (job.run !== watched) chosen(job.run);
      look(job.id);
    } catch (e) {
      start.disabled = false;
      showError(error, e);
    }
  }

  /** A job that fails before it has a run says why. */
  async function look(id) {
    const job = (await ask('jobs')).jobs.find(j => j.id === id);
    if (job?.phase === 'failed') {
      [start.disabled, stop.hidden, status.textContent] = [false, true, ''];
      return showError(error, new Refused(job.error));
    }
    if (job?.phase === 'stopped' && watched === job.run && !begun) return chosen(''); // nothing of it is left
    if (!job || ['done', 'stopped'].includes(job.phase)) return;
    if (job.phase === 'running' && watched === job.run && !begun) status.textContent = t('web.ui.train_prepares');
    if (watched === job.run && source?.readyState === EventSource.CLOSED) { watched = ''; watch(job.run); }
    setTimeout(() => look(id).catch(() => {}), 700);
  }

  start.addEventListener('click', () => begin(task()));
  resume.addEventListener('click', () => begin({ task: 'resume', run: watched }));
  stop.addEventListener('click', async () => {
    const mine = (await ask('jobs')).jobs.find(j => j.run === watched && ['queued', 'running'].includes(j.phase));
    if (!mine) return;
    await ask(`jobs/${mine.id}/stop`, {}).catch(e => showError(error, e));
    look(mine.id);
  });

  function watch(run) {
    if (run === watched) return;
    source?.close();
    [watched, lines, begun] = [run, [], false];
    [start.disabled, stop.hidden, resume.hidden, link.hidden, status.textContent] = [false, true, true, run === '', ''];
    link.href = `${runs}#run=${encodeURIComponent(run)}`;
    if (run === '') return show([], null);
    source = follow(`runs/${encodeURIComponent(run)}/events`, event => {
      if (watched !== run) return;
      lines = lines.slice(0, event.from).concat(event.lines);
      begun = event.meta.state !== null;
      const waits = !begun, last = lines.at(-1);
      start.disabled = waits || event.running;
      stop.hidden = !waits && !event.running;
      resume.hidden = waits || event.running || !['interrupted', 'training'].includes(event.meta.state);
      const said = waits ? (event.running ? 'web.ui.train_prepares' : 'web.ui.train_waits') : event.running ? 'web.ui.train_running' : SAID[event.meta.state] ?? 'web.ui.train_done';
      status.textContent = t(said, { at: last ? `${unit(last)} ${num(place(last), 9)}, ${numbers(last)}` : '…' });
      show(lines, event);
    });
  }

  return watch;
}

const SKIPPED = ['epoch', 'step', 'seconds', 'best', 'lr', 'learning_rate', 'window', 'stage', 'weight'];

/** The names of a line's numbers: the losses, and what else says how good it is. */
export function kinds(line) {
  const keys = Object.entries(line ?? {}).filter(([key, value]) => typeof value === 'number' && !SKIPPED.includes(key)).map(([key]) => key);
  const isLoss = key => /loss$/.test(key) || ['total', 'pde', 'boundary', 'initial'].includes(key);
  return { losses: keys.filter(isLoss), others: keys.filter(key => !isLoss(key)) };
}

/** A number of a line as people read it. */
export const score = (name, value) => name.endsWith('accuracy') ? percent(value, 4) : num(value, 4);

/** A line in words: its loss and how good it is. */
function said(line) {
  const { others: [first] } = kinds(line);
  return [`${t('web.ui.loss')} ${num(line.loss, 3)}`, ...first ? [`${first} ${score(first, line[first])}`] : []].join(', ');
}

/** As `training`, with the course in the figures `course` and `quality`; `select` offers the finished runs that `path` lists as networks. */
export function learning({ task, chosen, select, path }) {
  const [losses, quality] = ['course', 'quality'].map(figure);
  const draw = (place, lines, keys, options) => course(place, lines, keys.map(key => ({ name: key, of: l => l[key] ?? NaN })), options);
  return training({
    task, chosen,
    show(lines, event) {
      const { losses: loss, others } = kinds(lines.at(-1)), first = others[0];
      draw(losses, lines, loss, { label: t('web.ui.loss') });
      draw(quality, lines, others.filter(key => key === first || key === `val_${first}`), { label: first ?? '', log: false });
      if (event?.meta.state === 'done' && !event.running) offer(select, path).catch(() => {});
    },
  });
}

/** Adds the finished runs that `path` lists to a choice of networks. */
export async function offer(select, path) {
  const there = [...select.options].map(o => o.value);
  const runs = (await ask(path)).map(r => typeof r === 'string' ? { run: r } : r).filter(r => !there.includes(r.run));
  select.append(...runs.map(r => el('option', { value: r.run, 'data-model': r.model }, r.run)));
}

/** Draws `series` (`[{ name, of: line => number }]`) over the steps or epochs; the first ones of many. */
export function course(figure, lines, series, { label, log = true }) {
  const known = series.map(s => ({ name: s.name, points: lines.map(l => [place(l), s.of(l)]).filter(p => Number.isFinite(p[1])) }));
  figure.root.hidden = lines.length === 0 || known.every(s => s.points.length === 0);
  if (figure.root.hidden) return;
  figure.draw(chart({ series: known.slice(0, 6), x: { label: unit(lines[0]), low: 0 }, y: { label, log } }));
  figure.say(known.filter(s => s.points.length).map(s => `${s.name}: ${num(s.points.at(-1)[1], 3)}`).join(', '));
  figure.table(() => ({ head: [unit(lines[0]), ...series.map(s => s.name)], body: lines.map(l => [String(place(l)), ...series.map(s => s.of(l))]) }));
}
