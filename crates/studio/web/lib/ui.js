// What every module uses: messages, numbers, elements, and questions to the server.

/** The language of the page: 'en' or 'es'. */
export const lang = document.documentElement.lang;

const texts = JSON.parse(document.getElementById('texts').textContent);

/** The message `key`, its `{name}`s replaced by values. */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => name in values ? String(values[name]) : all);
}

const formats = new Map();

/** A number for people, in the page's language: `digits` significant digits, powers of ten where it is very large or small. */
export function num(x, digits = 4) {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  const size = Math.abs(x);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) {
    const [mantissa, exponent] = x.toExponential(Math.max(0, digits - 1)).split('e');
    return `${num(Number(mantissa), digits)}·10${[...String(Number(exponent))].map(c => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]).join('')}`;
  }
  if (!formats.has(digits)) formats.set(digits, new Intl.NumberFormat(lang, { maximumSignificantDigits: digits }));
  return formats.get(digits).format(x).replace('-', '−');
}

/** A share as a percentage: 0.753 is 75.3 %. */
export const percent = (x, digits = 3) => x === null || x === undefined ? '–' : `${num(100 * x, digits)} %`;

/** The number in a text, with a point or a comma; NaN if it is none. */
export function parse(text) {
  const clean = String(text).trim().replace('−', '-').replace(',', '.');
  return clean === '' ? NaN : Number(clean);
}

/** A number's text as people type it in the page's language; the other way is `parse`. */
export const written = number => lang === 'es' ? String(number).replace('.', ',') : String(number);

/** An element with attributes (functions are listeners), and children (texts are text, never markup). */
export function el(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** As `el`, for pictures. */
export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false));
  return node;
}

/** The element with an id. */
export const $ = id => document.getElementById(id);

/** An error of the server: `what`, `why` and `fix`, in the page's language. */
export class Refused extends Error {
  constructor({ what, why = '', fix = '' }, status) {
    super(what);
    Object.assign(this, { why, fix, status });
  }
}

/** Asks the server: POST with a body, GET without. Throws `Refused`. */
export async function ask(path, body, { signal, method } = {}) {
  const url = `/api/${path}${path.includes('?') ? '&' : '?'}lang=${lang}`;
  const raw = body instanceof Blob;
  const headers = body === undefined || raw ? {} : { 'content-type': 'application/json' };
  let answer;
  try {
    answer = await fetch(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, body: raw || body === undefined ? body : JSON.stringify(body), signal });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    lost();
    throw new Refused({ what: t('web.ui.lost'), fix: t('web.ui.lost_fix') }, 0);
  }
  found();
  const value = await answer.json().catch(e => { if (e.name === 'AbortError') throw e; return {}; });
  if (!answer.ok) throw new Refused(value.error ?? { what: `${answer.status} ${answer.statusText}` }, answer.status);
  return value;
}

/** Only the newest call counts: an older answer that comes late is dropped. */
export function newest(run) {
  let controller = null;
  return async (...args) => {
    controller?.abort();
    const mine = controller = new AbortController();
    try {
      return await run(mine.signal, ...args);
    } catch (e) {
      if (e.name !== 'AbortError') throw e;
    }
  };
}

/** Says that the server does not answer, and asks until it does. */
export function lost() {
  const banner = $('banner');
  if (!banner.hidden) return;
  banner.replaceChildren(`${t('web.ui.lost')} `, el('code', {}, 'neurona serve'));
  banner.hidden = false;
  const again = setInterval(async () => {
    const up = await fetch(location.pathname, { method: 'HEAD' }).then(a => a.ok, () => false);
    if (up) found();
    if (banner.hidden) clearInterval(again);
  }, 2000);
}

/** The server answers. */
export function found() {
  $('banner').hidden = true;
}

/** Shows an error in `place`, or takes it away. */
export function showError(place, error) {
  if (error && !(error instanceof Refused)) throw error;
  const lines = error ? [el('strong', {}, error.message), ...[error.why, error.fix].filter(Boolean).map(line => el('div', { class: 'small' }, line))] : [];
  place.replaceChildren(...lines);
  place.classList.toggle('error', Boolean(error));
  place.setAttribute('role', 'status');
}
