// Connect Four: a game by keyboard, one by touch, hints, the address.
import assert from 'node:assert/strict';

const status = page => page.locator('#status').textContent();
/** Waits until the other side has moved, or the game is over; what was said last may be of the move before. */
const ours = page => page.waitForFunction(() => {
  const said = document.getElementById('status').textContent, moves = new URLSearchParams(location.hash.slice(1)).get('moves') ?? '';
  return /won|draw/i.test(said) || (/Your turn/.test(said) && moves.length % 2 === 0);
});
const moves = page => new URLSearchParams(new URL(page.url()).hash.slice(1)).get('moves') ?? '';

/** Looks a few stones ahead, and so beats a player that drops its stones anywhere. */
async function best(base, text) {
  const answer = await fetch(new URL('/api/connect4/reply', base), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ moves: text, level: 'depth6' }) });
  return (await answer.json()).moves.at(-1);
}

export async function a_game_against_level_1_is_won_by_keyboard({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/connect4#level=random', base).href);
  for (let turn = 0; turn < 21; turn++) {
    await ours(page);
    if (/won|draw/i.test(await status(page))) break;
    const before = moves(page);
    await page.keyboard.press(await best(base, before));
    await page.waitForFunction(n => new URLSearchParams(location.hash.slice(1)).get('moves')?.length > n, before.length);
  }
  await page.waitForFunction(() => document.getElementById('status').textContent === 'You have won!');
  assert.equal(await page.locator('#board td.four').count(), 4);
  await accessible(page);
  await shot(page, 'connect4-won');
}

export async function a_touch_answers_and_hints_are_numbers({ open, base, rows, shot, accessible }) {
  const page = await open({ width: 320, height: 640, touch: true, lang: 'es', theme: 'dark' });
  await page.goto(new URL('/es/connect4', base).href);
  await page.getByRole('button', { name: 'Columna 4' }).tap();
  await page.waitForFunction(() => /moves=4[1-7]/.test(location.hash));
  await page.getByLabel('Mostrar en cada columna').selectOption('network');
  await page.locator('#hints .bars').waitFor();
  await page.getByText('La red prefiere la columna').waitFor();
  await page.locator('#hints summary').tap();
  await rows(page, '#hints', 7);
  await accessible(page);
  await shot(page, 'connect4-hints-320');
  await page.getByRole('button', { name: 'Deshacer' }).tap();
  await page.waitForFunction(() => !location.hash.includes('moves'));
}

export async function the_address_and_the_command_hold_the_game({ open, base }) {
  const page = await open();
  await page.goto(new URL('/en/connect4#moves=44455554&level=human&hints=exact', base).href);
  await page.waitForFunction(() => document.querySelectorAll('#board td.one').length === 4);
  await page.locator('#hints p.small').first().waitFor(); // exact scores only from ten stones on
  await page.keyboard.press('1');
  await page.waitForFunction(() => location.hash.includes('moves=444555541'));
  await page.waitForFunction(() => document.querySelector('#share code').textContent === 'neurona play connect4 --level human --moves 444555541');
  await page.getByRole('button', { name: 'Copy link' }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /moves=444555541/);
  await page.getByRole('link', { name: 'Español' }).click();
  await page.waitForFunction(() => document.documentElement.lang === 'es' && document.querySelectorAll('#board td.one').length === 5);
}

export async function z_a_player_of_one_s_own_is_trained_and_plays({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/connect4#rows=200&epochs=2&level=network', base).href);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.waitForFunction(() => document.getElementById('train-status').textContent.includes('Done: epoch 2'), null, { timeout: 240_000 });
  await page.locator('#course .curve').first().waitFor();
  await accessible(page);
  await shot(page, 'connect4-trained');
  await page.locator('#network').selectOption('connect4-deck-0001');
  await page.getByRole('button', { name: 'Column 4' }).click();
  await page.waitForFunction(() => /moves=4[1-7]/.test(location.hash));
  assert.match(await page.locator('#share code').textContent(), /--run connect4-deck-0001/);
}
