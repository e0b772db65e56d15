// "Copy link" and "copy as command": the same state for a colleague, and for a terminal.
import { el, t } from './ui.js';

/** Quotes a word for a shell where it needs it. */
export const quote = word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${String(word).replaceAll("'", `'\\''`)}'`;

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = t('web.ui.copied');
  } catch {
    said.textContent = t('web.ui.not_copied');
  }
  setTimeout(() => { said.textContent = ''; }, 4000);
}

/** Fills `place` with both buttons. `command()` gives the words of the command line without the program, or null. */
export function share(place, command) {
  const said = el('span', { class: 'small', role: 'status' });
  const line = el('code', {});
  const link = el('button', { type: 'button', click: () => copy(location.href, said) }, t('web.ui.copy_link'));
  const text = () => ['neurona', ...command()].map(quote).join(' ');
  place.classList.add('command');
  if (!command) { place.replaceChildren(link, said); return () => {}; }
  const button = el('button', { type: 'button', click: () => copy(text(), said) }, t('web.ui.copy_command'));
  place.replaceChildren(line, link, button, said);
  const show = () => { line.textContent = text(); };
  show();
  return show;
}
