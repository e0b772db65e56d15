// Layers and weights of a run that the other tests trained.
import assert from 'node:assert/strict';

export async function layers_and_weights_are_shown({ open, base, shot, accessible }) {
  const page = await open();
  // One training, so that this test can be run alone.
  await page.request.post(new URL('/api/jobs', base).href, { data: { task: 'spirals', epochs: 3 } });
  await page.waitForTimeout(500);
  let name = '';
  for (let i = 0; i < 60 && !name; i++) {
    name = (await (await page.request.get(new URL('/api/runs', base).href)).json()).find(r => r.status === 'done' && r.name.startsWith('spirals-'))?.name ?? '';
    await page.waitForTimeout(250);
  }
  await page.goto(new URL(`/en/model#run=${name}`, base).href);
  await page.locator('#layers svg').waitFor();
  await page.getByText(/3 layers, 1,251 parameters/).waitFor();
  await page.getByLabel('Weights of').selectOption({ index: 1 });
  await page.locator('#spread .curve').waitFor();
  await accessible(page);
  await shot(page, 'model');
}
