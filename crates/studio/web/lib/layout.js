// The frame of every page: menu, theme, language with the state kept, errors that nobody caught.
import { $ } from './ui.js';

const menu = $('menu'), nav = $('navigation'), root = document.documentElement;

menu.addEventListener('click', () => {
  const open = nav.classList.toggle('open');
  menu.setAttribute('aria-expanded', String(open));
  if (open) nav.querySelector('a')?.focus();
});
nav.addEventListener('keydown', e => { if (e.key === 'Escape' && nav.classList.contains('open')) { menu.click(); menu.focus(); } });

const theme = $('theme');
theme.value = root.dataset.theme;
theme.addEventListener('change', () => {
  root.dataset.theme = theme.value;
  try { localStorage.setItem('theme', theme.value); } catch { /* it holds for this page only */ }
  dispatchEvent(new Event('themechange'));
});

// The other language shows the same state.
for (const link of document.querySelectorAll('a.language')) {
  link.addEventListener('click', () => { link.hash = location.hash; });
}

// The address holds the state, so the skip link must not change it.
$('skip').addEventListener('click', e => { e.preventDefault(); $('main').focus(); });
