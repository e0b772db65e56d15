// Hidden messages: hide, look at what changed, reveal, and see what the message survives. Pictures stay on this machine.
import { $, ask, el, lang, num, percent, Refused, showError, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { share } from '../lib/share.js';
import { learning, offer } from '../lib/training.js';

const ATTACKS = { png0: 'web.hide.attack_png', jpeg95: 'web.hide.attack_jpeg95', jpeg75: 'web.hide.attack_jpeg75', jpeg50: 'web.hide.attack_jpeg50', noise2: 'web.hide.attack_noise', brighter8: 'web.hide.attack_brighter' };
const [original, result, difference] = ['original', 'result', 'difference'].map(figure);
let cover = null, hidden = null, secret = null;

// The choices must be there before the address is read.
await offer($('model'), 'hide/runs').catch(() => {});
const state = bind($('controls'), values => { watch(values.run); room(); changes(); showCommand(); });
/** The model that is chosen, and the run whose networks do its work ('' for those that come with the program). */
function networks() {
  const option = $('model').selectedOptions[0], run = option?.dataset.model ? option.value : '';
  return { model: option?.dataset.model ?? option?.value ?? 'photo', run };
}
const showCommand = share($('share'), () => {
  const { model, run } = networks();
  return ['hide', 'PHOTO.png', '--out', 'HIDDEN.png', '--model', model, ...run ? ['--run', run] : [], '--text', $('text').value || '…'];
});
const watch = learning({
  select: $('model'), path: 'hide/runs', chosen: run => state.set({ run }),
  task: () => { const { preset, steps, seed } = state.values; return { task: 'steganography', preset, steps: Math.round(steps), seed: Math.round(seed) }; },
});

const picture = (id, name) => el('img', { src: `/api/hide/pictures/${id}?lang=${lang}`, alt: name });
const table = rows => () => ({ head: ['', ''], body: rows });

async function guarded(place, button, work) {
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try { await work(); showError($(place), null); } catch (e) { if (!(e instanceof Refused)) throw e; showError($(place), e); }
  button.removeAttribute('aria-busy');
  button.disabled = false;
}

function take(answer) {
  cover = answer;
  hidden = null;
  original.draw(picture(cover.id, t('web.hide.original')));
  original.say(`${cover.width} × ${cover.height}`);
  original.table(table([[t('web.hide.width'), cover.width], [t('web.hide.height'), cover.height], ...Object.entries(cover.capacity).map(([m, c]) => [`${t('web.hide.room')} (${m})`, c.open])]));
  for (const place of [result, difference]) { place.draw(el('p', { class: 'small' }, '–')); place.say(''); place.table(table([])); }
  $('attacks').hidden = $('download').hidden = true;
  $('hide').disabled = false;
  room();
}

/** How much of the room the text takes; what is longer the server refuses, and says why. */
function room() {
  if (!cover) return;
  const bytes = new TextEncoder().encode($('text').value).length;
  $('capacity').textContent = t('web.hide.capacity', { bytes: num(bytes, 7), room: num(cover.capacity[networks().model][$('password').value ? 'locked' : 'open'], 7) });
}

$('picture').addEventListener('change', e => {
  const file = e.target.files[0];
  if (file) guarded('hide-error', $('hide'), async () => take(await ask('hide/pictures', file)));
});
$('sample').addEventListener('click', e => guarded('hide-error', e.currentTarget, async () => take(await ask('hide/sample', {}))));
for (const id of ['text', 'password']) $(id).addEventListener('input', () => { room(); showCommand(); });

$('hide').addEventListener('click', () => guarded('hide-error', $('hide'), async () => {
  hidden = await ask('hide/hide', { picture: cover.id, ...networks(), text: $('text').value, password: $('password').value });
  hidden.text = $('text').value;
  result.draw(picture(hidden.id, t('web.hide.result')));
  result.say(t('web.hide.result_says', { psnr: hidden.psnr === null ? '∞' : num(hidden.psnr, 3), ssim: num(hidden.ssim, 4), bytes: hidden.bytes }));
  result.table(table([['PSNR (dB)', hidden.psnr], ['SSIM', hidden.ssim], [t('web.hide.rate'), hidden.bits_per_pixel], [t('web.hide.wrong_bits'), percent(hidden.wrong_bits)], [t('web.hide.copies'), hidden.copies]]));
  changes();
  $('download').href = `/api/hide/pictures/${hidden.id}`;
  $('download').hidden = $('attacks').hidden = false;
  $('attack-table').replaceChildren();
  secret = hidden.id;
  $('key').value = $('password').value;
  $('reveal').disabled = false;
}));

function changes() {
  if (!hidden) return;
  difference.draw(el('img', { src: `/api/hide/difference/${cover.id}/${hidden.id}?gain=${state.values.gain}`, alt: t('web.hide.difference') }));
  difference.say(t('web.hide.difference_says', { gain: num(state.values.gain, 3) }));
  difference.table(table([[t('web.hide.gain'), state.values.gain], ['PSNR (dB)', hidden.psnr]]));
}

$('secret').addEventListener('change', e => {
  const file = e.target.files[0];
  if (file) guarded('reveal-error', $('reveal'), async () => { secret = (await ask('hide/pictures', file)).id; });
});
$('reveal').addEventListener('click', () => guarded('reveal-error', $('reveal'), async () => {
  $('message').textContent = '';
  const answer = await ask('hide/reveal', { picture: secret, ...networks(), password: $('key').value });
  $('message').textContent = answer.text ?? t('web.hide.a_file', { name: answer.file, bytes: answer.bytes });
}));

const row = (name, said) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', { class: 'left' }, said));
$('attack-buttons').replaceChildren(...Object.entries(ATTACKS).map(([kind, key]) => el('button', { type: 'button', click: e => guarded('hide-error', e.currentTarget, async () => {
  const answer = await ask('hide/attack', { picture: hidden.id, ...networks(), text: hidden.text, password: $('password').value, attack: kind });
  $('attack-table').append(row(t(key), answer.read ? t(answer.exact ? 'web.hide.exact' : 'web.hide.other') : answer.why));
}) }, t(key))));
