// Back, forth, play: a field of steps that is shown one after another.
import { $, t } from './ui.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Wires buttons `back`, `next`, `play` to the number field `name` of a form's state. `last()` is the last step. With less motion
 * wished for, "play" goes to the end at once.
 */
export function stepper(state, name, last, pause = 350) {
  let timer = null;
  const play = $('play');
  const stop = () => { clearInterval(timer); timer = null; play.textContent = t('web.ui.play'); };
  const go = step => state().set({ [name]: String(Math.max(0, Math.min(last(), step))) });
  const now = () => Math.min(state().values[name], last());
  $('back').addEventListener('click', () => { stop(); go(now() - 1); });
  $('next').addEventListener('click', () => { stop(); go(now() + 1); });
  play.addEventListener('click', () => {
    if (timer) return stop();
    if (still.matches) return go(last());
    if (now() >= last()) go(0);
    play.textContent = t('web.ui.pause');
    timer = setInterval(() => {
      if (document.hidden) return;
      if (now() >= last()) stop(); else go(now() + 1);
    }, pause);
  });
  return { stop };
}
