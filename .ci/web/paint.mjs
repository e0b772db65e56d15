// How soon a page shows something: first contentful paint on this machine, without and with what the browser has kept.
// It is reported, not judged: a busy machine paints later.

const GOAL = 100, TIMES = 5;

/** Milliseconds from the navigation to the first contentful paint; null if there is none within ten seconds. */
const painted = page => page.evaluate(() => new Promise(done => {
  setTimeout(() => done(null), 10_000);
  new PerformanceObserver(list => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (first) done(first.startTime);
  }).observe({ type: 'paint', buffered: true });
}));

const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** What is measured besides: the browser's own time for a bare text of this server. */
const BARE = ['(a bare text)', '/api/runs'];

/** Prints a table of the medians of all pages; `open(where)` gives a page with nothing kept. */
export async function paints(open, base, slugs, fail) {
  const rows = [];
  for (const [slug, path] of [BARE, ...slugs.map(s => [s, `/en/${s === 'home' ? '' : s}`])]) {
    const where = `${slug} paint`, address = new URL(path, base).href, times = { first: [], again: [] };
    for (let i = 0; i < TIMES; i++) {
      const page = await open(where);
      page.expectsErrors = path === BARE[1]; // it has no icon
      for (const visit of ['first', 'again']) {
        await page.goto(address, { waitUntil: 'load' });
        const at = await painted(page);
        if (at === null) fail(where, 'nothing was painted'); else times[visit].push(at);
        await page.waitForLoadState('networkidle');
        if (visit === 'first') await page.goto('about:blank');
      }
      await page.context().close();
    }
    rows.push({ page: slug, 'first visit (ms)': Math.round(median(times.first)), 'again (ms)': Math.round(median(times.again)) });
  }
  console.log(`first contentful paint, median of ${TIMES}`);
  console.table(rows);
  const late = rows.slice(1).filter(r => r['first visit (ms)'] >= GOAL).map(r => r.page);
  console.log(late.length === 0 ? `every page is painted within ${GOAL} ms` : `later than ${GOAL} ms: ${late.join(', ')}`);
}
