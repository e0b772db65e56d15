// Doodles: strokes by pen, finger, mouse or keyboard; the network guesses after each piece. Pixels are made on the server, by the same
// function as those the network learnt from.
import { $, ask, el, newest, num, percent, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { heat } from '../lib/heat.js';
import { share } from '../lib/share.js';
import { learning, offer } from '../lib/training.js';

const SIDE = 600, SECONDS = 20, STEP = 12;
const paper = $('paper'), context = paper.getContext('2d');
const [guesses, seen] = ['guesses', 'seen'].map(figure);
let strokes = [], current = null, pen = null, cursor = [SIDE / 2, SIDE / 2], game = null, names = [];

/** Strokes as text for the address: points of 0 to 599 as `x,y` joined by dots, strokes by semicolons. */
const write = list => list.map(s => s.map(([x, y]) => `${x},${y}`).join('.')).join(';');
const read = text => text.split(';').filter(Boolean).slice(0, 200).map(s => s.split('.').slice(0, 500).map(p => p.split(',').map(Number)).filter(p => p.length === 2 && p.every(Number.isFinite)));

// The choices must be there before the address is read.
await offer($('network'), 'doodle/runs').catch(() => {});
const state = bind($('controls'), ({ ink, run }) => {
  if (ink !== write(strokes) && !current) strokes = read(ink);
  watch(run);
  draw();
  guess();
  showCommand();
});
const showCommand = share($('share'), () => {
  const { ink, network } = state.values;
  return ['doodle', '--ink', ink, ...network ? ['--run', network] : ['--built-in']];
});
const watch = learning({
  select: $('network'), path: 'doodle/runs', chosen: run => state.set({ run }),
  task: () => { const { preset, made, epochs, seed } = state.values; return { task: 'doodle', preset, made: Math.round(made), epochs: Math.round(epochs), seed: Math.round(seed) }; },
});

function draw() {
  context.clearRect(0, 0, SIDE, SIDE);
  context.lineWidth = 12;
  context.lineCap = context.lineJoin = 'round';
  context.strokeStyle = '#10161c';
  for (const stroke of current ? [...strokes, current] : strokes) {
    context.beginPath();
    stroke.forEach(([x, y], i) => i === 0 ? context.moveTo(x, y) : context.lineTo(x, y));
    if (stroke.length === 1) context.lineTo(stroke[0][0] + 0.1, stroke[0][1]);
    context.stroke();
  }
  if (document.activeElement === paper && pen === 'keys' || cursor.shown) {
    context.lineWidth = 2;
    context.strokeStyle = current ? '#b3560f' : '#1b617f';
    context.strokeRect(cursor[0] - 9, cursor[1] - 9, 18, 18);
  }
  $('undo').disabled = $('clear').disabled = strokes.length === 0;
}

/** Where a pointer is, in the paper's own units. */
function place(e) {
  const box = paper.getBoundingClientRect();
  return [(e.clientX - box.left) / box.width * SIDE, (e.clientY - box.top) / box.height * SIDE].map(v => Math.round(Math.max(0, Math.min(SIDE - 1, v))));
}

paper.addEventListener('pointerdown', e => {
  if (pen !== null || e.button !== 0) return;
  pen = e.pointerId;
  cursor.shown = false;
  paper.setPointerCapture(pen);
  current = [place(e)];
  draw();
});
paper.addEventListener('pointermove', e => {
  if (e.pointerId !== pen || !current) return;
  for (const event of e.getCoalescedEvents?.() ?? [e]) add(place(event));
});
for (const end of ['pointerup', 'pointercancel']) paper.addEventListener(end, e => { if (e.pointerId === pen) { pen = null; finish(); } });

function add(point) {
  const [x, y] = current.at(-1);
  if (Math.hypot(point[0] - x, point[1] - y) < 3) return;
  current.push(point);
  draw();
  guess();
}

function finish() {
  if (!current) return;
  strokes = [...strokes, current];
  current = null;
  state.set({ ink: write(strokes) });
}

// By keyboard: arrows move, space puts the pen down and takes it up.
paper.addEventListener('keydown', e => {
  const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[e.key];
  if (!move && e.key !== ' ') return;
  e.preventDefault();
  cursor.shown = true;
  if (e.key === ' ') {
    if (current) { pen = null; finish(); } else { pen = 'keys'; current = [[...cursor]]; draw(); }
    return;
  }
  const next = [0, 1].map(i => Math.max(0, Math.min(SIDE - 1, cursor[i] + move[i])));
  cursor = Object.assign(next, { shown: true });
  if (current) add([...next]); else draw();
});

const guess = newest(async signal => {
  const all = current ? [...strokes, current] : strokes;
  try {
    const answer = await ask('doodle', { strokes: all, run: state.values.network }, { signal });
    showError($('error'), null);
    show(answer);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    showError($('error'), e);
  }
});

function show({ pixels, guesses: list, sure, empty, classes }) {
  if (names.join() !== classes.join()) { names = classes; $('names').replaceChildren(...names.map(n => el('li', {}, n))); }
  seen.draw(heat({ values: pixels.map(p => -p), width: 28, low: -255, high: 255, smooth: false, legend: false }));
  seen.say(t('web.doodle.seen_says', { dark: pixels.filter(p => p > 127).length }));
  seen.table(() => ({ head: ['', ...Array.from({ length: 28 }, (_, i) => String(i))], body: Array.from({ length: 28 }, (_, r) => [String(r), ...pixels.slice(28 * r, 28 * r + 28).map(String)]) }));
  if (empty) {
    guesses.draw(el('p', { class: 'small' }, t('web.doodle.empty')));
    guesses.say('');
    guesses.table(() => ({ head: [], body: [] }));
  } else {
    const bar = (g, i) => el('div', { class: i === 0 && sure ? 'best' : '' }, el('span', {}, g.name),
      svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, svg('rect', { class: 'track', width: 100, height: 10 }), svg('rect', { class: i === 0 && sure ? 'f2' : 'f1', width: 100 * g.probability, height: 10 })),
      el('span', {}, g.probability < 0.001 ? `< ${num(0.1)} %` : percent(g.probability)));
    guesses.draw(el('div', { class: 'bars' }, list.map(bar)));
    guesses.say(sure ? t('web.doodle.i_see', { name: list[0].name, share: percent(list[0].probability) }) : t('web.doodle.not_sure', { name: list[0].name }));
    guesses.table(() => ({ head: [t('web.doodle.class'), t('web.doodle.probability')], body: list.map(g => [g.name, percent(g.probability, 4)]) }));
  }
  $('strokes').replaceChildren(el('thead', {}, el('tr', {}, ['', 'x', 'y'].map(h => el('th', { scope: 'col' }, h)))), el('tbody', {}, strokes.flatMap((s, i) => s.map(([x, y]) => el('tr', {}, el('th', { scope: 'row' }, String(i + 1)), el('td', {}, String(x)), el('td', {}, String(y)))))));
  if (game && !empty && sure && list[0].name === game.name) end(true);
}

$('undo').addEventListener('click', () => { strokes = strokes.slice(0, -1); state.set({ ink: write(strokes) }); });
$('clear').addEventListener('click', () => { strokes = []; state.set({ ink: '' }); });

/* Twenty seconds */

$('game').addEventListener('click', () => {
  if (names.length === 0) return;
  strokes = [];
  state.set({ ink: '' });
  const name = names[Math.floor(Math.random() * names.length)];
  clearInterval(game?.timer);
  game = { name, until: Date.now() + 1000 * SECONDS, timer: setInterval(tick, 250) };
  $('task').textContent = t('web.doodle.task', { name, seconds: SECONDS });
  tick();
});

function tick() {
  const left = Math.max(0, Math.ceil((game.until - Date.now()) / 1000));
  $('clock').textContent = `${left} s`;
  if (left === 0) end(false);
}

function end(won) {
  clearInterval(game.timer);
  $('clock').textContent = '';
  $('task').textContent = t(won ? 'web.doodle.won' : 'web.doodle.lost', { name: game.name });
  game = null;
}
