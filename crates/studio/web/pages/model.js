// A trained network: its layers, and the numbers it has learnt.
import { $, ask, el, lang, newest, num, showError, svg, t } from '../lib/ui.js';
import { bind } from '../lib/state.js';
import { figure } from '../lib/figure.js';
import { heat } from '../lib/heat.js';
import { lines } from '../lib/chart.js';
import { share } from '../lib/share.js';

const [layers, spread, matrix] = ['layers', 'spread', 'matrix'].map(figure);
let loaded = '', weights = null;

// The choices must be there before the address is read.
const runs = await ask('runs').catch(() => []);
const trained = runs.filter(r => r.status !== 'unknown' && ['network', 'pinn'].includes(r.kind)).sort((a, b) => (b.changed ?? '').localeCompare(a.changed ?? ''));
$('run').replaceChildren(...trained.map(r => el('option', { value: r.name }, r.name)));
$('none').hidden = trained.length > 0;
const address = new URLSearchParams(location.hash.slice(1)).get('tensor');
if (address) $('tensor').append(el('option', { value: address }, address));
const state = bind($('controls'), values => show(values));
const showCommand = share($('share'), () => ['summary', state.values.run]);

const show = newest(async (signal, { run, tensor }) => {
  $('content').hidden = !run;
  if (!run) return;
  showCommand();
  if (loaded !== run) {
    try {
      const [summary, read] = await Promise.all(['summary', 'weights'].map(what => ask(`runs/${encodeURIComponent(run)}/${what}`, undefined, { signal })));
      [loaded, weights] = [run, read];
      showError($('error'), null);
      draw(summary);
      $('download').href = `/api/runs/${encodeURIComponent(run)}/files/${read.file}?lang=${lang}`;
      $('tensor').replaceChildren(...read.tensors.map(x => el('option', { value: x.name }, `${x.name}  [${x.shape.join(', ')}]`)));
      const known = read.tensors.some(x => x.name === tensor);
      if (!known) return state.set({ tensor: read.tensors[0]?.name ?? '' });
      $('tensor').value = tensor;
    } catch (e) {
      if (e.name === 'AbortError') throw e;
      $('content').hidden = true;
      return showError($('error'), e);
    }
  }
  drawTensor(weights.tensors.find(x => x.name === tensor));
});

/** Boxes from the input to the output: as high as the logarithm of their numbers. */
function draw({ input, layers: rows, parameters, flops }) {
  const all = [{ layer: t('web.model.input'), output: input, parameters: 0, flops: 0 }, ...rows];
  const size = shape => shape.reduce((a, b) => a * b, 1), gap = 112, width = Math.max(gap * all.length + 8, 320);
  const box = (r, i) => {
    const h = 26 + 20 * Math.log10(1 + size(r.output)), x = 8 + gap * i, y = 74 - h / 2;
    return [i === 0 ? null : svg('line', { class: 'axis', x1: x - gap + 84, x2: x, y1: 74, y2: 74 }),
      svg('rect', { class: i === 0 ? 'box' : r.parameters ? 'box full' : 'box plain', x, y, width: 84, height: h, rx: 7 }),
      svg('text', { x: x + 42, y: 78, 'text-anchor': 'middle' }, r.output.join('×')), svg('text', { x: x + 42, y: 146, 'text-anchor': 'middle' }, r.layer)];
  };
  layers.picture.tabIndex = 0; // it scrolls
  layers.picture.classList.add('wide');
  layers.draw(sized(svg('svg', { viewBox: `0 0 ${width} 158`, class: 'chart', 'aria-hidden': 'true' }, all.map(box)), width));
  layers.say(t('web.model.says', { layers: rows.length, parameters: num(parameters, 7), flops: num(flops / 1e6, 3) }));
  layers.table(() => ({ head: [t('web.model.layer'), t('web.model.shape'), t('web.model.parameters'), 'MFLOP'], body: all.map(r => [r.layer, r.output.join('×'), num(r.parameters, 9), r.flops / 1e6]) }));
}

/** A drawing that scrolls rather than shrinks. */
function sized(drawing, width) {
  drawing.style.width = `${width}px`;
  drawing.style.maxWidth = 'none';
  return drawing;
}

function drawTensor(tensor) {
  if (!tensor) return;
  const bars = tensor.histogram.length, step = (tensor.max - tensor.min) / bars || 1;
  const middle = i => tensor.min + (i + 0.5) * step;
  const outline = tensor.histogram.flatMap((n, i) => [[tensor.min + i * step, n], [tensor.min + (i + 1) * step, n]]);
  spread.draw(lines({ series: [{ name: tensor.name, points: [[tensor.min, 0], ...outline, [tensor.max, 0]] }], x: { label: t('web.model.value') }, y: { label: t('web.model.count'), low: 0 } }));
  spread.say(t('web.model.spread_says', { count: num(tensor.count, 9), mean: num(tensor.mean, 3), deviation: num(tensor.deviation, 3), min: num(tensor.min, 3), max: num(tensor.max, 3) }));
  spread.table(() => ({ head: [t('web.model.value'), t('web.model.count')], body: tensor.histogram.map((n, i) => [num(middle(i), 3), String(n)]) }));
  const width = tensor.matrix[0]?.length ?? 0;
  matrix.root.hidden = width === 0;
  if (!width) return;
  matrix.draw(heat({ values: tensor.matrix.flat(), width, smooth: false, x: t('web.model.outputs'), y: t('web.model.inputs') }));
  matrix.say(t('web.model.matrix_says', { rows: tensor.matrix.length, columns: width, shape: tensor.shape.join('×') }));
  matrix.table(() => ({ head: ['', ...tensor.matrix[0].map((_, j) => String(j))], body: tensor.matrix.map((r, i) => [String(i), ...r]) }));
}
