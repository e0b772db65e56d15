// Backpropagation: graph and table step together, forward and back; a link opens a formula.
import assert from 'node:assert/strict';

const cells = (page, row) => page.locator(`#list tbody tr:nth-child(${row}) td`).allTextContents();

export async function graph_and_table_step_together_by_keyboard({ open, base, rows, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/backprop', base).href);
  await page.locator('#list tbody tr').first().waitFor();
  await rows(page, '#list', 5);
  assert.deepEqual((await cells(page, 1)).slice(0, 2), ['·', '·'], 'nothing is known at first');
  const slider = page.locator('#step-range');
  await slider.focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => location.hash === '#step=5');
  assert.deepEqual((await cells(page, 5)).slice(0, 2), ['70', '·']);
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.waitForFunction(() => document.querySelector('#list tbody tr:nth-child(5) td:nth-child(3)').textContent === '1');
  assert.equal((await cells(page, 1))[1], '1', 'x has the share of the sum, and not yet the other');
  assert.match(await page.locator('.graph').textContent(), /∂f: 1 …/);
  await page.locator('#step').fill('10');
  await page.waitForFunction(() => document.querySelector('#list tbody tr td:nth-child(3)').textContent === '9');
  assert.deepEqual((await cells(page, 2)).slice(0, 2), ['2', '−24']);
  assert.match(await page.locator('#gradient').textContent(), /f = 70; {2}∂f\/∂x = 9, {2}∂f\/∂y = −24/);
  await accessible(page);
  await shot(page, 'backprop-done');
}

export async function a_teachers_link_opens_an_expression({ open, base, shot, accessible }) {
  const page = await open({ lang: 'es', theme: 'dark', width: 320, height: 700 });
  await page.goto(new URL(`/es/backprop#f=${encodeURIComponent('tanh(x*w + b)')}&at=${encodeURIComponent('x=0.5,w=-1,b=0.2')}&step=12`, base).href);
  await page.getByText('∂f/∂x = −0,915').waitFor();
  assert.equal(await page.locator('#share code').textContent(), "neurona backprop 'tanh(x*w + b)' --at x=0.5,w=-1,b=0.2");
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByText('∂f/∂x = −0.915').waitFor();
  await accessible(page);
  await shot(page, 'backprop-neuron-320');
}
