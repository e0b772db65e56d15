// The playground: a network trained before one's eyes, points of one's own, rates and batches compared.
import assert from 'node:assert/strict';

export async function a_network_is_trained_live({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/train#data=xor&epochs=60&rate=0.03', base).href);
  await page.getByText('epoch 0, 0 steps').waitFor();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.waitForFunction(() => /epoch ([1-9]|[1-4]\d),/.test(document.getElementById('status').textContent));
  await page.getByText('epoch 60, 840 steps').waitFor();
  await page.waitForFunction(() => Number.parseInt(document.getElementById('confusion-summary').textContent) >= 85); // of 90; it is said every two seconds
  await page.getByRole('button', { name: 'One epoch' }).click();
  await page.getByText('epoch 61, 854 steps').waitFor();
  await page.locator('#losses summary').click();
  await page.waitForFunction(() => document.querySelectorAll('#losses tbody tr').length > 20);
  assert.equal(await page.locator('#neurons canvas').count(), 16);
  await accessible(page);
  await shot(page, 'train-xor');
}

export async function own_points_are_typed_and_clicked({ open, base, shot }) {
  const page = await open({ lang: 'es', theme: 'dark', width: 320, height: 700 });
  await page.goto(new URL('/es/train#data=own&test=0&own=0%2C0%2Cno%0A1%2C1%2Cno%0A0%2C1%2Csi%0A1%2C0%2Csi&batch=4&rate=0.05&epochs=100', base).href);
  await page.getByText('época 0').waitFor();
  await page.locator('#class').fill('si');
  await page.locator('#decision .stack svg').click({ position: { x: 100, y: 20 } });
  await page.waitForFunction(() => document.querySelector('[name=own]').value.split('\n').length === 5);
  await page.getByRole('button', { name: 'Entrenar', exact: true }).click();
  await page.getByText('época 100').waitFor();
  await shot(page, 'train-own-320');
}

export async function rates_and_batches_are_compared({ open, base, rows, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/train', base).href);
  await page.getByText('epoch 0').waitFor();
  await page.locator('#grid-epochs').fill('10');
  await page.getByRole('button', { name: 'Train them all' }).click();
  await page.getByText('Best in the test: rate').waitFor();
  assert.equal(await page.locator('#multiples .legend').count(), 3);
  await page.locator('#multiples summary').click();
  await rows(page, '#multiples', 9);
  await accessible(page);
  await shot(page, 'train-rates');
}
