// The neuron: a large sum saturates it, and the picture says so.
import assert from 'node:assert/strict';

export async function a_large_sum_saturates({ open, base, rows, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/neuron#activation=tanh', base).href);
  await page.getByText('tanh at z = 0.5').waitFor();
  assert.equal(await page.locator('#warning').textContent(), '');
  await page.locator('#b').fill('4');
  await page.getByText('Saturated: hardly any gradient passes').waitFor();
  assert.match(page.url(), /b=4/);
  await page.locator('#slopes summary').click();
  await rows(page, '#slopes', 5);
  assert.equal(await page.locator('#share code').textContent(), 'neurona neuron --inputs=1,0.5 --weights=1,-1 --bias=4 --activation tanh');
  await accessible(page);
  await shot(page, 'neuron-saturated');
}
