// The transport equation is solved live; time moves; the link shows the same.
import assert from 'node:assert/strict';

export async function the_equation_is_solved_live({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/transport#steps=3000', base).href);
  await page.locator('#exact canvas').first().waitFor();
  await page.getByRole('button', { name: 'Solve' }).click();
  await page.locator('#losses .curve').first().waitFor();
  await page.waitForFunction(() => /Done: step 3,000/.test(document.getElementById('train-status').textContent), null, { timeout: 90_000 });
  await page.locator('#network canvas').first().waitFor();
  await page.waitForFunction(() => /Relative error/.test(document.querySelector('#network .summary').textContent));
  const error = Number((await page.locator('#network .summary').textContent()).match(/\d+\.\d+/)[0]);
  assert.ok(error < 0.2, `relative error ${error}`);
  await page.locator('#time-range').focus();
  for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => /t = 0\.25\b/.test(document.querySelector('#profile .summary').textContent));
  await accessible(page);
  await shot(page, 'transport-solved');
  const link = page.url();
  const other = await open({ lang: 'es', theme: 'dark', width: 320, height: 640 });
  await other.goto(link.replace('/en/', '/es/'));
  await other.locator('#network canvas').first().waitFor();
  await shot(other, 'transport-solved-320');
}

export async function wrong_numbers_are_marked_and_not_used({ open, base }) {
  const page = await open();
  await page.goto(new URL('/en/transport', base).href);
  await page.locator('#exact canvas').first().waitFor();
  await page.locator('#speed').fill('fast');
  await page.waitForFunction(() => document.getElementById('speed').getAttribute('aria-invalid') === 'true');
  await page.locator('#speed').fill('2,5');
  await page.waitForFunction(() => location.hash.includes('speed=2.5'));
}
