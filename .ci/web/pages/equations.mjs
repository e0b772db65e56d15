// (Exports of a module come in the order of their names.)
// Equations: one of the gallery is solved and looked at, one's own is written with a mistake, a long one is stopped and resumed.
import assert from 'node:assert/strict';

const said = (page, words) => page.waitForFunction(w => document.getElementById('train-status').textContent.includes(w), words, { timeout: 120_000 });

export async function a_an_equation_of_the_gallery_is_solved_and_looked_at({ open, base, rows, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/equations', base).href);
  await page.locator('#facts', { hasText: 'x ∈ [0, 1], y ∈ [0, 1]' }).waitFor();
  assert.equal(await page.locator('#share code').textContent(), 'neurona solve poisson');
  await page.getByRole('button', { name: 'Solve' }).click();
  await said(page, 'Done');
  await page.waitForFunction(() => /10⁻/.test(document.querySelector('#numbers td')?.textContent)); // the relative error
  for (const map of ['solution', 'exact', 'difference']) assert.equal(await page.locator(`#${map} canvas.heat`).count(), 1, map);
  await page.locator('#difference summary').click();
  await rows(page, '#difference', 9);
  await page.locator('#at1-range').focus();
  await page.keyboard.press('Home');
  await page.getByText('At y = 0.').waitFor();
  for (let i = 0; i < 25; i++) await page.keyboard.press('ArrowRight');
  await page.getByText('At y = 0.25.').waitFor();
  assert.match(page.url(), /run=poisson-\d+&at1=0\.25/);
  await accessible(page);
  await shot(page, 'equations-solved');
  const other = await open({ lang: 'es', theme: 'dark', width: 320, height: 640, touch: true });
  await other.goto(page.url().replace('/en/', '/es/'));
  await other.getByText('En y = 0,25.').waitFor();
  await accessible(other);
  await shot(other, 'equations-solved-320');
}

export async function b_a_mistake_is_shown_with_its_place({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/equations#equation=heat', base).href);
  await page.waitForFunction(() => document.getElementById('text').value.includes('[[equations]]'));
  const text = await page.locator('#text').inputValue();
  await page.locator('#text').fill(text.replace('d(u,x,x)', 'd(u,x,x'));
  await page.locator('#mistake strong').waitFor();
  assert.match(await page.locator('#mistake strong').textContent(), /equations\.0\.formula, character \d+: .*heat\.toml:\d+:\d+/);
  await page.getByRole('button', { name: 'Go to line' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'text');
  const line = await page.evaluate(() => { const t = document.getElementById('text'); return t.value.slice(t.value.lastIndexOf('\n', t.selectionStart - 1) + 1, t.value.indexOf('\n', t.selectionStart)); });
  assert.match(line, /^formula = .*d\(u,x,x/);
  assert.equal(await page.locator('#share code').textContent(), 'neurona solve FILE.toml');
  await accessible(page);
  await shot(page, 'equations-mistake');
  // A link leads to the text as it stands; back to the gallery's, it is gone from the address.
  const other = await open();
  await other.goto(page.url());
  await other.locator('#mistake strong').waitFor();
  assert.equal(await other.locator('#text').inputValue(), text.replace('d(u,x,x)', 'd(u,x,x'));
  await other.getByRole('button', { name: 'As in the gallery' }).click();
  await other.waitForFunction(t => document.getElementById('text').value === t, text);
  assert.doesNotMatch(other.url(), /own=/);
  page.expectsErrors = true; // what is wrong is not solved
  await page.getByRole('button', { name: 'Solve' }).click();
  await page.locator('#train-error strong').waitFor();
  page.expectsErrors = false;
  await page.locator('#text').fill(text.replace('[domain]', '[reference]\nunknown = "u"\nfile = "/etc/passwd"\naxes = ["x", "t"]\n\n[domain]'));
  await page.locator('#mistake', { hasText: '/etc/passwd lies outside' }).waitFor();
  await page.getByRole('button', { name: 'As in the gallery' }).click();
  await page.waitForFunction(() => document.getElementById('mistake').textContent === '');
}

export async function c_a_long_one_is_stopped_and_resumed_and_one_s_own_in_one_variable_solved({ open, base, shot, accessible }) {
  const page = await open({ lang: 'es' });
  await page.goto(new URL('/es/equations#equation=burgers', base).href);
  await page.waitForFunction(() => document.getElementById('text').value.includes('burgers'));
  // Where the reference of the gallery is not there, that is only said.
  await page.locator('#facts', { hasText: /Sin calificar|El error se mide/ }).waitFor();
  await page.getByRole('button', { name: 'Resolver' }).click();
  await page.locator('#losses .curve').first().waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Parar y guardar' }).click();
  await said(page, 'Parado y guardado');
  await page.locator('#solution canvas.heat').waitFor({ timeout: 60_000 });
  await shot(page, 'equations-stopped');
  await page.getByRole('button', { name: 'Reanudar' }).click();
  await said(page, 'Entrena');
  await page.getByRole('button', { name: 'Parar y guardar' }).click();
  await said(page, 'Parado y guardado');
  await page.locator('#text').fill('domain = { t = [0, 1] }\nform.u = "1 + t*N"\nsolution.u = "exp(-2*t)"\nnetwork.widths = [8]\nstages = [{ method = "levenberg_marquardt", steps = 40 }]\nequations = [{ name = "decay", formula = "d(u,t) = -2*u" }]\n');
  await page.locator('#facts', { hasText: 't ∈ [0; 1]' }).waitFor();
  await page.getByRole('button', { name: 'Resolver' }).click();
  await said(page, 'Terminado');
  await page.locator('#solution .curve').waitFor();
  assert.ok(await page.locator('#slice').isHidden());
  await page.waitForFunction(() => /^neurona solve runs\/samples\/burgers-\d+\.toml$/.test(document.querySelector('#share code').textContent));
  await accessible(page);
  await shot(page, 'equations-one-variable');
}
