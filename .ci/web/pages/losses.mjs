// Losses: a point far off draws the square's line, not the others; the cross-entropy of other logits.
import assert from 'node:assert/strict';

const slope = async (page, row) => Number(await page.locator(`#best tbody tr:nth-child(${row}) td`).first().textContent());

export async function an_outlier_moves_the_square_and_not_the_size({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/losses', base).href);
  await page.locator('#best tbody tr').first().waitFor();
  const before = [await slope(page, 1), await slope(page, 2)];
  await page.getByRole('button', { name: 'Add one far off' }).click();
  await page.waitForFunction(n => Number(document.querySelector('#best tbody td').textContent) > n + 0.2, before[0]);
  assert.ok(Math.abs(await slope(page, 2) - before[1]) < 0.1, 'the median line stays');
  await page.getByRole('button', { name: 'Huber' }).click();
  await page.waitForFunction(() => location.hash.includes('slope='));
  await page.locator('[name=logits]').fill('0,0');
  await page.getByText('Class 0 has the share 0.5: the loss is 0.6931.').waitFor();
  await accessible(page);
  await shot(page, 'losses-outlier');
}
