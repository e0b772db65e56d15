// Gradient descent: a link opens a lesson, steps, a rate that is too large, the start moved without a mouse, a wrong formula.
import assert from 'node:assert/strict';

const ready = page => page.locator('#endings p').first().waitFor();

export async function a_teachers_link_opens_formula_start_and_optimizer({ open, base, rows, shot, accessible }) {
  const page = await open({ lang: 'es', theme: 'dark' });
  await page.goto(new URL(`/es/descent#f=${encodeURIComponent('x^4 - 3*x^2 + x')}&from=x%3D2&sgd=true&momentum=false&adam=true&rate=0.02&step=40`, base).href);
  await ready(page);
  assert.equal(await page.locator('[name=f]').inputValue(), 'x^4 - 3*x^2 + x');
  assert.deepEqual(await page.locator('#endings strong').allTextContents(), ['sgd: ', 'adam: ']);
  assert.match(await page.locator('#path-summary').textContent(), /Paso 40\. sgd: x = 1,1/);
  assert.equal(await page.locator('#share code').textContent(), "neurona descend 'x^4 - 3*x^2 + x' --from=x=2 --optimizer sgd,adam --learning-rate 0.02 --steps 60");
  await page.locator('#path summary').click();
  await rows(page, '#path', 41);
  await accessible(page);
  await shot(page, 'descent-valleys-es-dark');
}

export async function a_doubled_rate_diverges_and_says_why({ open, base, shot }) {
  const page = await open();
  await page.goto(new URL('/en/descent#adam=false&momentum=false&rate=0.06', base).href);
  await ready(page);
  await page.getByRole('button', { name: 'Double it' }).click();
  await page.getByText('learning rate · curvature = 2.4').waitFor();
  assert.match(page.url(), /rate=0\.12/);
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.waitForFunction(() => location.hash.includes('step=1'));
  await page.getByRole('button', { name: 'Move the start up' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /from=x%3D-4%2Cy%3D[^2]|from=x%3D-4%2Cy%3D2\./.test(location.hash));
  await shot(page, 'descent-diverged');
}

export async function a_wrong_formula_is_explained({ open, base }) {
  const page = await open({ width: 320, height: 640 });
  page.expectsErrors = true;
  await page.goto(new URL('/en/descent', base).href);
  await ready(page);
  await page.locator('[name=f]').fill('x^2 + 2y');
  await page.locator('#error strong').waitFor();
  assert.match(await page.locator('#error').textContent(), /operator is missing before `y` \(character 8\)/);
  await page.locator('[name=f]').fill('x^2 + 2*y^2');
  await page.waitForFunction(() => document.getElementById('error').textContent === '');
}
