// How soon a page answers what one does: milliseconds from the event (a key, a click, the pen) until the frame that shows the
// answer has been drawn. It is reported, not judged: a busy machine draws later.
import { median } from './paint.mjs';

const GOAL = 50, TIMES = 10;

const press = (field, key = 'ArrowRight') => page => page.locator(field).press(key);
const slider = name => press(`#${name}-range`);
const column = (page, i) => page.locator('#drops button').nth(i % 7).click();

async function typed(page) {
  await page.locator('[name=at]').press('End');
  await page.keyboard.press('1');
}

async function line(page, i) {
  const { x, y, width } = await page.locator('#paper').boundingBox();
  await page.mouse.move(x + width * (0.1 + 0.08 * i), y + 40);
  await page.mouse.down();
  await page.mouse.move(x + width * (0.1 + 0.08 * i), y + 200);
}

/** What is done: `act(page, i)` on a page. Time counts from the `event`; the answer is a change at `place`, the one after which it holds `more` stones. */
const DEEDS = [
  { at: 'neuron', what: 'a weight is moved', event: 'input', place: '#curve .picture', act: slider('w1') },
  { at: 'losses', what: 'the line is turned', event: 'input', place: '#fit .picture', act: slider('slope') },
  { at: 'descent', what: 'the momentum is moved', event: 'input', place: '#path .picture', act: press('#beta-range', 'ArrowLeft') },
  { at: 'descent', what: 'more steps', event: 'input', place: '#path .picture', act: slider('steps') },
  { at: 'backprop', what: 'the next step', event: 'input', place: '#graph .picture', act: slider('step') },
  { at: 'backprop', what: 'a value is typed', event: 'input', place: '#graph .picture', act: typed },
  { at: 'train', what: 'the noise is moved', event: 'input', place: '#decision .picture', act: slider('noise') },
  { at: 'connect4#level=human', what: 'a stone is dropped', event: 'click', place: '#board', more: 1, act: column },
  { at: 'connect4#level=network', what: 'the network replies', event: 'click', place: '#board', more: 2, act: column },
  { at: 'doodle', what: 'a line is drawn', event: 'pointermove', place: '#guesses .picture', act: line, after: page => page.mouse.up() },
  { at: 'transport', what: 'the time is moved', event: 'input', place: '#profile .picture', act: slider('time') },
  { at: 'transport', what: 'the speed is moved', event: 'input', place: '#profile .picture', act: slider('speed') },
];

/** In the page: promises the time of the next answer; null after ten seconds without one. */
function listen({ event, place, more }) {
  const root = document.querySelector(place), stones = () => root.querySelectorAll('.one, .two').length;
  const before = more && stones();
  let begin = null;
  addEventListener(event, e => { begin ??= e.timeStamp; }, { capture: true, once: true });
  globalThis.answer = new Promise(done => {
    setTimeout(() => done(null), 10_000);
    new MutationObserver((_, observer) => {
      if (begin === null || more && stones() !== before + more) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
    }).observe(root, { childList: true, subtree: true, attributes: true, characterData: true });
  });
}

/** Prints a table of all deeds; `open(where)` gives a page. The first time, when nothing has been computed yet, does not count. */
export async function answers(open, base, wanted, fail) {
  const rows = [];
  for (const { at, what, act, after, ...deed } of DEEDS.filter(d => wanted(d.at.split('#')[0]))) {
    const where = `${at}: ${what}`, page = await open(where), times = [];
    for (let i = 0; i <= TIMES; i++) {
      if (i === 0 || deed.more) { // a game begins anew
        await page.goto('about:blank');
        await page.goto(new URL(`/en/${at}`, base).href, { waitUntil: 'networkidle' });
      }
      await page.evaluate(listen, { event: deed.event, place: deed.place, more: deed.more });
      await act(page, i);
      const time = await page.evaluate('answer');
      await after?.(page);
      await page.waitForTimeout(50);
      if (time === null) { fail(where, 'no answer is shown'); break; }
      if (i > 0) times.push(time);
    }
    await page.context().close();
    rows.push({ page: at, what, 'answer shown (ms)': Math.round(median(times)), 'slowest (ms)': Math.round(Math.max(...times)) });
  }
  console.log(`from the event to the frame with the answer, median of ${TIMES}`);
  console.table(rows);
  const late = rows.filter(r => r['answer shown (ms)'] >= GOAL).map(r => r.what);
  console.log(late.length === 0 ? `everything is answered within ${GOAL} ms` : `later than ${GOAL} ms: ${late.join(', ')}`);
}
