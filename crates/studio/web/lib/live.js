// Server-sent events: what happens on the server, as it happens. The browser connects again by itself and gets what it missed.
import { found, lang, lost } from './ui.js';

/** Calls `take` with each event's data; `close()` on what it returns ends it. */
export function follow(path, take) {
  const source = new EventSource(`/api/${path}?lang=${lang}`);
  source.addEventListener('message', e => { found(); take(JSON.parse(e.data)); });
  source.addEventListener('error', () => { if (source.readyState === EventSource.CONNECTING) lost(); });
  addEventListener('pagehide', () => source.close());
  return source;
}
