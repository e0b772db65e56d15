// A house is drawn by mouse and seen; by keyboard; the link shows it again.
import assert from 'node:assert/strict';

/** Draws a polyline on the paper, points between 0 and 1. */
async function stroke(page, points) {
  const box = await page.locator('#paper').boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (let i = 1; i < points.length; i++) await page.mouse.move(...at(points[i]), { steps: 8 });
  await page.mouse.up();
}

async function house(page) {
  await page.locator('#paper').scrollIntoViewIfNeeded();
  await stroke(page, [[0.25, 0.45], [0.25, 0.85], [0.75, 0.85], [0.75, 0.45], [0.25, 0.45]]);
  await stroke(page, [[0.2, 0.46], [0.5, 0.15], [0.8, 0.46]]);
  await stroke(page, [[0.44, 0.85], [0.44, 0.62], [0.56, 0.62], [0.56, 0.85]]);
}

export async function a_house_is_seen({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/doodle', base).href);
  await page.getByText('Nothing to see yet').first().waitFor();
  await house(page);
  await page.getByText(/I see: house/).waitFor();
  await accessible(page);
  await shot(page, 'doodle-house');
  const other = await open({ lang: 'es', theme: 'dark', width: 320, height: 640 });
  await other.goto(page.url().replace('/en/', '/es/'));
  await other.getByText(/Veo: casa/).waitFor();
  await shot(other, 'doodle-house-320');
  await page.getByRole('button', { name: 'New paper' }).click();
  await page.getByText('Nothing to see yet').first().waitFor();
}

export async function one_can_draw_by_keyboard({ open, base }) {
  const page = await open();
  await page.goto(new URL('/en/doodle', base).href);
  await page.locator('#paper').focus();
  await page.keyboard.press('Space');
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) for (let i = 0; i < 8; i++) await page.keyboard.press(key);
  await page.keyboard.press('Space');
  await page.waitForFunction(() => location.hash.includes('ink='));
  await page.waitForFunction(() => document.querySelectorAll('#guesses .bars div').length === 5);
}

export async function the_command_says_the_same({ open, base }) {
  const page = await open();
  await page.goto(new URL('/en/doodle#ink=10%2C10.300%2C40%3B5%2C5.9%2C9', base).href);
  await page.waitForFunction(() => document.querySelector('#share code').textContent === "neurona doodle --ink '10,10.300,40;5,5.9,9' --built-in");
}

const said = (page, words) => page.waitForFunction(w => document.getElementById('train-status').textContent.includes(w), words, { timeout: 180_000 });

export async function z_a_recogniser_of_one_s_own_is_trained_and_guesses({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/doodle#made=20&epochs=300', base).href);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.locator('#course .curve, #course .dot').first().waitFor({ timeout: 180_000 });
  await page.getByRole('button', { name: 'Stop and save' }).click();
  await said(page, 'Stopped and saved');
  await page.getByRole('button', { name: 'Resume' }).click();
  await said(page, 'Trains');
  await page.getByRole('button', { name: 'Stop and save' }).click();
  await said(page, 'Stopped and saved');
  await page.getByLabel('Epochs').fill('2');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await said(page, 'Done: epoch 2');
  await accessible(page);
  await shot(page, 'doodle-trained');
  const run = new URLSearchParams(new URL(page.url()).hash.slice(1)).get('run');
  await page.locator('#network').selectOption(run);
  await house(page);
  await page.waitForFunction(() => document.querySelectorAll('#guesses .bars div').length === 5);
  assert.match(await page.locator('#share code').textContent(), new RegExp(`--run ${run}$`));
}
