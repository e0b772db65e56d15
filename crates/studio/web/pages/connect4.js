// Connect Four: the game is the text of its moves, which stands in the address; the server knows the rules and the players.
import { $, ask, el, newest, num, percent, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { share } from '../lib/share.js';
import { learning, offer } from '../lib/training.js';

const SIGNS = ['', '●', '✕'];
const ABOUT = {
  random: 'web.connect4.about_random', depth2: 'web.connect4.about_depth', depth6: 'web.connect4.about_depth', network: 'web.connect4.about_network',
  search: 'web.connect4.about_search', perfect: 'web.connect4.about_perfect', human: 'web.connect4.about_human',
};
const hints = figure('hints');
let shown = null, replied = null, busy = false;

const drops = [1, 2, 3, 4, 5, 6, 7].map(c => el('button', { type: 'button', 'aria-label': t('web.connect4.drop_in', { column: c }), click: () => drop(c) }, String(c)));
$('drops').replaceChildren(...drops);

// The choices must be there before the address is read.
await offer($('network'), 'connect4/runs').catch(() => {});
const state = bind($('controls'), values => { watch(values.run); update(values); });
const watch = learning({
  select: $('network'), path: 'connect4/runs', chosen: run => state.set({ run }),
  task: () => { const { preset, rows, epochs, seed } = state.values; return { task: 'connect4', preset, rows: Math.round(rows), epochs: Math.round(epochs), seed: Math.round(seed) }; },
});
const showCommand = share($('share'), () => {
  const { level, moves, start, network } = state.values;
  const names = { depth2: ['alpha-beta', '--depth', '2'], depth6: ['alpha-beta', '--depth', '6'] };
  return ['play', 'connect4', '--level', ...(names[level] ?? [level]), ...(start === 'computer' ? ['--start', 'computer'] : []), ...(moves ? ['--moves', moves] : []), ...(network ? ['--run', network] : [])];
});

const mine = (position, { level, start }) => level === 'human' || (position.mover === 1) === (start === 'me');
const question = values => ({ moves: values.moves, hints: values.hints, run: values.network });

/** Asks for the position in the address, then for the other side's move if it is its turn. */
const update = newest(async (signal, values) => {
  busy = true;
  try {
    let position = replied ?? await ask('connect4/position', question(values), { signal });
    replied = null;
    draw(position, values);
    if (!position.over && !mine(position, values)) {
      say(t('web.connect4.thinking'));
      position = await ask('connect4/reply', { ...question(values), level: values.level, seed: 1 + values.moves.length }, { signal });
      replied = position; // all there is to show of it: it is not asked for again
      return state.set({ moves: position.moves });
    }
    showError($('error'), null);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    showError($('error'), e);
  }
  busy = false;
  showCommand();
});

function drop(column) {
  if (busy || !shown || shown.over || !shown.open.includes(column) || !mine(shown, state.values)) return;
  state.set({ moves: state.values.moves + column });
}

function say(text) {
  if ($('status').textContent !== text) $('status').textContent = text;
}

function draw(position, values) {
  shown = position;
  const last = lastCell(position);
  const cell = i => {
    const stone = position.cells[i], classes = ['', 'one', 'two'][stone] + (position.four.includes(i) ? ' four' : '') + (i === last ? ' last' : '');
    const name = stone === 0 ? t('web.connect4.empty') : t('web.connect4.stone', { player: stone });
    return el('td', { class: classes.trim() }, el('span', { 'aria-hidden': 'true' }, SIGNS[stone]), el('span', { class: 'hidden' }, name));
  };
  const rows = [0, 1, 2, 3, 4, 5].map(r => el('tr', {}, [0, 1, 2, 3, 4, 5, 6].map(c => cell(7 * r + c))));
  $('board').replaceChildren(el('tbody', {}, rows));
  const turn = !position.over && mine(position, values);
  drops.forEach((button, c) => { button.disabled = position.over || !position.open.includes(c + 1); });
  $('undo').disabled = values.moves === '';
  const stone = SIGNS[position.winner ?? position.mover];
  const two = values.level === 'human';
  if (position.winner) say(two ? t('web.connect4.won', { stone }) : t((position.winner === 1) === (values.start === 'me') ? 'web.connect4.you_won' : 'web.connect4.computer_won', { stone }));
  else if (position.over) say(t('web.connect4.draw'));
  else if (turn) say(t(two ? 'web.connect4.turn' : 'web.connect4.your_turn', { stone }));
  $('explain').textContent = t(ABOUT[values.level]);
  showHints(position, values.hints);
}

/** Where the last stone fell. */
function lastCell({ moves, cells }) {
  const column = Number(moves.at(-1)) - 1;
  const row = [0, 1, 2, 3, 4, 5].find(r => cells[7 * r + column] !== 0);
  return moves === '' || row === undefined ? -1 : 7 * row + column;
}

/** Bars with numbers: what the network likes, or the exact score, of each column. */
function showHints(position, kind) {
  const columns = kind === 'network' ? position.network?.columns : position.exact;
  hints.root.hidden = kind === '';
  if (!columns) {
    hints.draw(el('p', { class: 'small' }, position.over ? t('web.connect4.over') : t('web.connect4.too_early', { count: position.exact_from })));
    hints.say('');
    return hints.table(() => ({ head: [t('web.connect4.column')], body: [] }));
  }
  const best = Math.max(...columns.filter(c => c !== null));
  const share = c => c === null ? 0 : kind === 'network' ? c : (c + 21) / 42;
  const label = c => c === null ? '–' : kind === 'network' ? percent(c) : c > 0 ? `+${num(c)}` : num(c);
  const bar = (c, i) => el('div', { class: c !== null && c === best ? 'best' : '' }, el('span', {}, String(i + 1)),
    svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, svg('rect', { class: 'track', width: 100, height: 10 }), svg('rect', { class: c === best ? 'f2' : 'f1', width: 100 * share(c), height: 10 })),
    el('span', {}, `${label(c)}${c !== null && c === best ? ' ★' : ''}`));
  hints.draw(el('div', { class: 'bars' }, columns.map(bar)));
  const named = columns.map((c, i) => c === best ? i + 1 : null).filter(Boolean).join(', ');
  hints.say(kind === 'network' ? t('web.connect4.network_says', { columns: named, value: percent(position.network.value) }) : t('web.connect4.exact_says', { columns: named, score: label(best) }));
  hints.table(() => ({ head: [t('web.connect4.column'), t(kind === 'network' ? 'web.connect4.liking' : 'web.connect4.score')], body: columns.map((c, i) => [String(i + 1), label(c)]) }));
}

$('new').addEventListener('click', () => state.set({ moves: '' }));
$('undo').addEventListener('click', () => {
  const { moves, level, start } = state.values;
  let fewer = moves.slice(0, -1);
  // Back to one's own turn.
  if (level !== 'human' && fewer !== '' && (fewer.length % 2 === 0) !== (start === 'me')) fewer = fewer.slice(0, -1);
  state.set({ moves: fewer });
});
addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
  if (/^[1-7]$/.test(e.key)) drop(Number(e.key));
  if (e.key === 'u') $('undo').click();
});
