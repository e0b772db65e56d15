// A text is hidden in an uploaded photograph, seen, attacked, and revealed.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A genuine photograph, or none where there are no shared data. */
function photograph(shared) {
  const folder = join(shared, 'photos');
  return existsSync(folder) ? readdirSync(folder).filter(f => /\.(png|jpe?g)$/i.test(f)).sort().map(f => join(folder, f))[0] : null;
}

export async function a_text_is_hidden_in_a_photograph_and_revealed({ open, base, shared, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/hide', base).href);
  const photo = photograph(shared);
  if (photo) await page.getByLabel('Photograph').setInputFiles(photo);
  else await page.getByRole('button', { name: 'made-up' }).click();
  await page.locator('#original img').waitFor();
  await page.locator('#text').fill('Meet me at the piñata, 5 o’clock ✓');
  await page.locator('#password').fill('secret');
  await page.getByRole('button', { name: 'Hide the text' }).click();
  await page.locator('#difference img').waitFor({ timeout: 60_000 });
  await page.getByText(/PSNR \d+/).first().waitFor();
  await page.getByRole('button', { name: 'saved as PNG' }).click();
  await page.getByText('read exactly').waitFor();
  await page.getByRole('button', { name: 'Reveal the text' }).click();
  await page.waitForFunction(() => document.getElementById('message').textContent.includes('piñata'), null, { timeout: 60_000 });
  await accessible(page);
  await shot(page, 'hide-done');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  const other = await open({ lang: 'es', theme: 'dark', width: 320, height: 640 });
  await other.goto(new URL('/es/hide', base).href);
  await other.getByLabel('Imagen con un texto').setInputFiles(await download.path());
  other.expectsErrors = true; // without the password it is refused
  await other.locator('#reveal:enabled').click();
  await other.locator('#reveal-error strong').waitFor({ timeout: 60_000 });
  other.expectsErrors = false;
  await other.locator('#key').fill('secret');
  await other.locator('#reveal').click();
  await other.waitForFunction(() => document.getElementById('message').textContent.includes('piñata'), null, { timeout: 60_000 });
  assert.equal(await other.locator('#message').textContent(), 'Meet me at the piñata, 5 o’clock ✓');
  await shot(other, 'hide-revealed-320');
}

export async function networks_of_one_s_own_are_trained_and_chosen({ open, base, shot, accessible }) {
  const page = await open({ lang: 'es' });
  await page.goto(new URL('/es/hide#steps=120', base).href);
  await page.getByRole('button', { name: 'Entrenar', exact: true }).click();
  await page.waitForFunction(() => document.getElementById('train-status').textContent.includes('Terminado: paso 120'), null, { timeout: 240_000 });
  await page.locator('#course .curve').first().waitFor();
  await page.locator('#quality .curve').first().waitFor();
  await accessible(page);
  await shot(page, 'hide-trained');
  await page.locator('#model').selectOption('steganography-0001');
  assert.match(await page.locator('#share code').textContent(), /--model photo --run steganography-0001/);
  await page.getByRole('button', { name: 'inventada' }).click();
  await page.locator('#original img').waitFor();
  await page.locator('#text').fill('a');
  page.expectsErrors = true; // after so few steps it may refuse
  await page.locator('#hide').click();
  await page.locator('#difference img, #hide-error strong').first().waitFor({ timeout: 60_000 });
}
