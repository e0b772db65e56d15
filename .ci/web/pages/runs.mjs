// (Exports of a module come in the order of their names.)
// Runs: a network is trained live, stopped, resumed by another page, compared, judged, and removed.
import assert from 'node:assert/strict';

/** The name of the run that has just been started. */
async function started(page) {
  await page.waitForFunction(() => /run=spirals-/.test(location.hash));
  return new URLSearchParams(new URL(page.url()).hash.slice(1)).get('run');
}

const finished = [];

const state = (page, text) => page.waitForFunction(t => document.getElementById('state').textContent.includes(t), text);

export async function a1_a_network_is_trained_live_and_judged({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL('/en/runs', base).href);
  await page.getByLabel('Epochs').fill('30');
  await page.getByRole('button', { name: 'Start' }).click();
  finished.push(await started(page));
  await page.locator('#loss .curve').first().waitFor();
  await state(page, 'done');
  await page.locator('#loss summary').click();
  await page.waitForFunction(() => document.querySelectorAll('#loss tbody tr').length === 30);
  await page.getByText('After epoch 30: loss').waitFor();
  await page.getByRole('button', { name: 'Which classes' }).click();
  await page.getByText(/of 2\d\d rows are right|of 4\d\d rows are right|rows are right/).waitFor();
  await accessible(page);
  await shot(page, 'runs-trained');
  const csv = page.locator('#files a', { hasText: 'metrics.jsonl' });
  assert.equal((await page.request.get(new URL(await csv.getAttribute('href'), base).href)).status(), 200);
}

export async function a2_and_another_one({ open, base }) {
  const page = await open();
  await page.goto(new URL('/en/runs', base).href);
  await page.getByLabel('Epochs').fill('10');
  await page.getByRole('button', { name: 'Start' }).click();
  finished.push(await started(page));
  await state(page, 'done');
}

export async function b_a_closed_page_changes_nothing_and_a_stopped_training_resumes({ open, base, shot }) {
  const page = await open({ lang: 'es', theme: 'dark', width: 320, height: 640, touch: true });
  await page.goto(new URL('/es/runs', base).href);
  await page.getByLabel('Épocas').fill('4000');
  await page.getByRole('button', { name: 'Empezar' }).tap();
  const name = await started(page);
  await page.locator('#loss .curve').first().waitFor();
  await page.context().close();
  const again = await open({ lang: 'es' });
  await again.goto(new URL(`/es/runs#run=${name}`, base).href);
  await state(again, 'entrenando');
  // A second one waits.
  await again.getByLabel('Épocas').fill('5');
  await again.getByRole('button', { name: 'Empezar' }).click();
  await again.locator('#jobs').getByText('en espera').waitFor();
  await again.goto(new URL(`/es/runs#run=${name}`, base).href);
  await again.locator('#jobs li', { hasText: name }).getByRole('button', { name: 'Parar y guardar' }).click();
  await state(again, 'se puede reanudar');
  await again.getByRole('button', { name: 'Reanudar' }).click();
  await state(again, 'entrenando');
  await again.locator('#jobs li', { hasText: name }).getByRole('button', { name: 'Parar y guardar' }).click();
  await state(again, 'se puede reanudar');
}

export async function c_runs_are_compared_and_removed({ open, base, shot, accessible }) {
  const page = await open();
  await page.goto(new URL(`/en/runs#run=${finished[0]}&with=${finished[1]}`, base).href);
  await page.locator('#numbers thead').waitFor();
  assert.ok(await page.locator('#numbers th', { hasText: 'epochs' }).count() > 0, 'settings that differ');
  await page.waitForFunction(() => document.querySelectorAll('#loss .legend li').length === 2);
  await accessible(page);
  await shot(page, 'runs-compared');
  await page.goto(new URL(`/en/runs#run=${finished[1]}`, base).href);
  await state(page, 'done');
  page.once('dialog', d => d.accept());
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.waitForFunction(() => !location.hash.includes('run='));
  await page.waitForFunction(name => !document.getElementById('list').textContent.includes(name), finished[1]);
}
