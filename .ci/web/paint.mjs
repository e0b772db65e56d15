// How soon a page shows something: first contentful paint on this machine, without and with what the browser has kept.
// It is reported, not judged: a busy machine paints later.

const GOAL = 100, TIMES = 5;

/** Milliseconds that an empty tab is open before an address is given to it: whoever types one has a browser that is not just starting. */
const OPEN = 500;

/** Milliseconds from the navigation to the answer's last byte and to the first contentful paint; null if there is none within ten seconds. */
const painted = page => page.evaluate(() => new Promise(done => {
  setTimeout(() => done(null), 10_000);
  new PerformanceObserver(list => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (first) done({ answered: performance.getEntriesByType('navigation')[0].responseEnd, painted: first.startTime });
  }).observe({ type: 'paint', buffered: true });
}));

export const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** What is measured besides, for the browser's own share: a bare text of this server, the words of a page without style and modules, and a window that opens at that moment. */
const BARE = ['(a bare text)', '/api/runs'], WORDS = ['(words alone)', '/en/glossary'], WINDOW = ['(home in a new window)', '/en/'];
const BESIDES = [BARE, WORDS, WINDOW];
const stripped = html => html.replace(/<(script|style)[^>]*>[^]*?<\/\1>|<link[^>]*>/g, '');

/** Prints a table of the medians of all pages; `open(where)` gives a page with nothing kept. */
export async function paints(open, base, slugs, fail) {
  const pages = [...BESIDES, ...slugs.map(s => [s, `/en/${s === 'home' ? '' : s}`])]
    .map(([slug, path]) => ({ slug, address: new URL(path, base).href, times: { answered: [], first: [], again: [] } }));
  // In turn, so that a busy moment of the machine does not fall on one page alone; the first turn, of a browser just begun, does not count.
  for (let turn = 0; turn <= TIMES; turn++) for (const { slug, address, times } of pages) {
    const where = `${slug} paint`, page = await open(where);
    page.expectsErrors = slug === BARE[0] || slug === WORDS[0]; // they have no icon
    if (slug === WORDS[0]) {
      const body = stripped(await (await fetch(address)).text());
      await page.route(address, route => route.fulfill({ body, contentType: 'text/html; charset=utf-8' }));
    }
    if (slug !== WINDOW[0]) await page.waitForTimeout(OPEN);
    for (const visit of ['first', 'again']) {
      await page.goto(address, { waitUntil: 'load' });
      const at = await painted(page);
      if (at === null) fail(where, 'nothing was painted');
      else if (turn > 0) {
        times[visit].push(at.painted);
        if (visit === 'first') times.answered.push(at.answered);
      }
      await page.waitForLoadState('networkidle');
      if (visit === 'first') await page.goto('about:blank');
    }
    await page.context().close();
  }
  const rows = pages.map(({ slug, times }) => {
    const [answered, first, again] = ['answered', 'first', 'again'].map(k => Math.round(median(times[k])));
    return { page: slug, 'answered (ms)': answered, 'first visit (ms)': first, 'again (ms)': again };
  });
  console.log(`first contentful paint, median of ${TIMES}`);
  console.table(rows);
  const late = rows.slice(BESIDES.length).filter(r => r['first visit (ms)'] >= GOAL).map(r => r.page);
  console.log(late.length === 0 ? `every page is painted within ${GOAL} ms` : `later than ${GOAL} ms: ${late.join(', ')}`);
}
