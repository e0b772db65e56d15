// A picture, one sentence that says what it shows, and a table of its numbers: see {{figure:…}} in README.md.
import { $, el, num } from './ui.js';

/** The parts of the figure with an id. */
export function figure(id) {
  const root = $(id);
  const [picture, summary, data, table] = ['.picture', '.summary', 'details.data', 'table'].map(s => root.querySelector(s));
  let late = null, rows = null;
  const fill = () => {
    if (!rows || !data.open) return;
    const { head, body } = rows();
    const cell = (c, i) => i === 0 ? el('th', { scope: 'row' }, show(c)) : el('td', {}, show(c));
    table.replaceChildren(
      el('thead', {}, el('tr', {}, head.map(h => el('th', { scope: 'col' }, h)))),
      el('tbody', {}, body.map(r => el('tr', {}, r.map(cell)))));
  };
  data.addEventListener('toggle', fill);
  return {
    root,
    /** Puts an element in the place of the picture. */
    draw: node => { if (picture.firstChild !== node || picture.childNodes.length !== 1) picture.replaceChildren(node); },
    picture,
    /** Says in a sentence what is shown; spoken at most every two seconds. */
    say(text) {
      clearTimeout(late?.timer);
      if (text === '') { summary.textContent = ''; return; }
      const wait = late ? Math.max(0, late.at + 2000 - Date.now()) : 0;
      const now = () => { late = { at: Date.now() }; if (summary.textContent !== text) summary.textContent = text; };
      if (wait === 0) now(); else late.timer = setTimeout(now, wait);
    },
    /** The numbers: `make()` returns `{ head, body }` and is called only while the table is open. */
    table(make) { rows = make; fill(); },
  };
}

const show = value => typeof value === 'number' ? num(value, 6) : value ?? '–';
