// The state of a page is its form, and stands in the address: #name=value&…, only what differs from the page as it comes.
// A link to the address, a reload and "back" therefore show the same.
import { parse, written } from './ui.js';

/**
 * Binds the fields of a form to the address. `changed(values)` is called at once and after every change.
 * Numbers (data-type="number") come as numbers, check boxes as booleans, everything else as text.
 * Returns `{ values, set(changes), link() }`.
 */
export function bind(form, changed) {
  // A map of our own: a field called `length` or `item` would otherwise be the collection's property.
  const fields = [...form.elements].filter(f => f.name);
  const named = name => fields.find(f => f.name === name);
  const read = field => field.type === 'checkbox' ? field.checked : field.value;
  const defaults = Object.fromEntries(fields.map(f => [f.name, read(f)]));
  const isNumber = name => named(name)?.dataset.type === 'number';
  for (const field of fields) if (isNumber(field.name)) field.value = written(field.value);

  const values = () => {
    const all = {};
    for (const field of fields) {
      const raw = read(field);
      if (field.dataset.type !== 'number') { all[field.name] = raw; continue; }
      const number = parse(raw);
      const wrong = Number.isNaN(number) || number < Number(field.dataset.min ?? -Infinity) || number > Number(field.dataset.max ?? Infinity);
      field.setAttribute('aria-invalid', String(wrong));
      all[field.name] = wrong ? parse(defaults[field.name]) : number;
    }
    return all;
  };

  const write = (name, value) => {
    const field = named(name);
    if (!field) return;
    if (field.type === 'checkbox') field.checked = value === true || value === 'true';
    else field.value = isNumber(name) ? written(value) : value;
    follow(name);
  };

  // A range beside a number shows the same.
  const follow = name => {
    const range = form.querySelector(`input[type="range"][data-for="${name}"]`);
    const number = range && parse(named(name).value);
    if (range && !Number.isNaN(number)) range.value = String(number);
  };

  const fromAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const name of Object.keys(defaults)) write(name, given.has(name) ? given.get(name) : defaults[name]);
  };

  const toAddress = () => {
    const all = new URLSearchParams();
    for (const name of Object.keys(defaults)) {
      const now = read(named(name));
      const same = isNumber(name) ? parse(now) === parse(defaults[name]) : now === defaults[name];
      if (!same) all.set(name, isNumber(name) ? String(parse(now)) : String(now));
    }
    const hash = all.toString();
    if (hash !== location.hash.slice(1)) history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
  };

  const update = () => { toAddress(); changed(values()); };

  form.addEventListener('input', e => {
    const range = e.target.type === 'range' ? e.target.dataset.for : null;
    if (range) named(range).value = written(e.target.value);
    else if (e.target.name) follow(e.target.name);
    update();
  });
  form.addEventListener('submit', e => e.preventDefault());
  addEventListener('hashchange', () => { fromAddress(); changed(values()); });
  fromAddress();
  queueMicrotask(() => changed(values()));

  return {
    get values() { return values(); },
    set(changes) { for (const [name, value] of Object.entries(changes)) write(name, value); update(); },
  };
}
