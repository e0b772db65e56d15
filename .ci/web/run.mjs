// The studio's pages in Chromium: every page in both languages, both themes, at 320 and 1280 pixels (accessibility, overflow, errors, no
// other host), how soon it is painted (paint.mjs) and answers (answers.mjs), then what one does on it (pages/NAME.mjs).
//
//     node run.mjs PROGRAM [--only NAME,…] [--screenshots DIR] [--no-scripts] [--no-sweep] [--no-times]
//
// CHROMIUM names another browser than /usr/bin/chromium, WEB_DIR a folder to read the page's files from.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { answers } from './answers.mjs';
import { paints } from './paint.mjs';

const here = import.meta.dirname;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const args = process.argv.slice(2);
const option = name => args.includes(name) ? args[args.indexOf(name) + 1] : null;
const program = resolve(args[0]);
const only = option('--only')?.split(',');
const wanted = name => !only || only.includes(name);
const shots = option('--screenshots') ? resolve(option('--screenshots')) : null;
if (shots) mkdirSync(shots, { recursive: true });
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts the server in a folder of its own; returns its address and what ends it. */
async function serve() {
  const folder = mkdtempSync(join(tmpdir(), 'neurona-pages-'));
  const server = spawn(program, ['serve', '--port', '0', '--json', '--lang', 'en', ...(process.env.WEB_DIR ? ['--web-dir', resolve(process.env.WEB_DIR)] : [])], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of server.stdout) {
    text += chunk;
    if (text.trim().endsWith('}')) break;
  }
  const end = async () => {
    server.kill('SIGTERM');
    await new Promise(done => server.exitCode === null ? server.on('exit', done) : done());
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: new URL(JSON.parse(text).url), folder, end };
}

const failures = [];
const fail = (where, what) => { failures.push(`${where}: ${what}`); console.log(`FAILED ${where}: ${what}`); };

/** A page in a context of its own; everything it must not do is a failure. */
async function open(browser, base, where, { lang = 'en', theme = 'light', width = 1280, height = 900, touch = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: lang === 'es' ? 'es-ES' : 'en-GB', hasTouch: touch, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', m => { if (['error', 'warning'].includes(m.type()) && !page.expectsErrors) fail(where, `console: ${m.text()}`); });
  page.on('pageerror', e => fail(where, `script: ${e.stack.split('\n').slice(0, 4).join(' ')}`));
  page.on('request', r => { if (!/^(data|blob):/.test(r.url()) && new URL(r.url()).host !== base.host) fail(where, `asks ${r.url()}`); });
  page.on('response', r => { if (r.status() >= 400 && !page.expectsErrors) fail(where, `${r.status()} ${r.url()}`); });
  return page;
}

/** No violation of WCAG 2.2 AA or of good practice that axe-core can see. */
export async function accessible(page, where) {
  await page.evaluate(`${axe}; undefined`).catch(() => {});
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.addScriptTag({ content: axe });
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const v of found.violations) fail(where, `axe ${v.id}: ${v.nodes.map(n => n.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
}

/** Nothing is wider than the screen. */
async function fits(page, where) {
  const wide = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= limit) return null;
    return [...document.querySelectorAll('main *, header *')].filter(e => e.getBoundingClientRect().right > limit + 1 && !e.closest('.scroll, pre, .hidden')).slice(0, 3).map(e => e.outerHTML.slice(0, 120));
  });
  if (wide) fail(where, `wider than the screen: ${wide.join(' | ')}`);
}

async function sweep(browser, base, slugs) {
  for (const slug of slugs.filter(wanted)) {
    for (const lang of ['en', 'es']) for (const theme of ['light', 'dark']) for (const width of [320, 1280]) {
      const where = `${slug} ${lang} ${theme} ${width}`;
      const page = await open(browser, base, where, { lang, theme, width, height: width === 320 ? 640 : 900 });
      await page.goto(new URL(`/${lang}/${slug === 'home' ? '' : slug}`, base).href, { waitUntil: 'networkidle' }).catch(e => fail(where, e.message));
      await page.waitForTimeout(100);
      await fits(page, where);
      await accessible(page, where);
      if (shots) await page.screenshot({ path: join(shots, `${slug}-${lang}-${theme}-${width}.png`), fullPage: true });
      await page.context().close();
    }
    console.log(`${slug}: looked at in 8 ways`);
  }
}

/** What pages/NAME.mjs exports is called with these helpers. */
async function scripts(browser, base, folder) {
  const all = readdirSync(join(here, 'pages')).filter(f => f.endsWith('.mjs')).map(f => f.slice(0, -4));
  for (const name of all.filter(wanted)) {
    const module = await import(join(here, 'pages', `${name}.mjs`));
    for (const [title, test] of Object.entries(module)) {
      const where = `${name}: ${title}`, begin = Date.now(), before = failures.length;
      const helpers = {
        base, folder, shared: resolve(here, '../../../shared/data'),
        open: options => open(browser, base, where, options),
        shot: (page, name) => shots ? page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }) : null,
        accessible: page => accessible(page, where),
        // A table that is opened is filled a moment later.
        rows: (page, table, count) => page.waitForFunction(([t, n]) => document.querySelectorAll(`${t} tbody tr`).length === n, [table, count]),
      };
      const attempt = () => test(helpers).catch(e => fail(where, e.stack.split('\n').slice(0, 6).join('\n')));
      await attempt();
      if (failures.length > before) { // once more, by itself: a busy machine is no fault of the page, what fails twice is
        failures.length = before;
        console.log(`${where}: again`);
        for (const context of browser.contexts()) await context.close();
        await attempt();
      }
      console.log(`${where}: ${failures.length === before ? 'ok' : 'FAILED'} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
    }
  }
  for (const context of browser.contexts()) await context.close();
}

const server = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
try {
  const home = await (await fetch(new URL('/en/', server.url))).text();
  const slugs = ['home', ...[...home.matchAll(/<li><a href="\/en\/([a-z0-9-]+)"/g)].map(m => m[1])];
  if (!args.includes('--no-times')) {
    const visit = where => open(browser, server.url, where);
    await paints(visit, server.url, slugs.filter(wanted), fail);
    await answers(visit, server.url, wanted, fail);
  }
  if (!args.includes('--no-sweep')) await sweep(browser, server.url, slugs);
  if (!args.includes('--no-scripts')) await scripts(browser, server.url, server.folder);
} finally {
  await browser.close();
  await server.end();
}
console.log(failures.length === 0 ? 'pages: all well' : `pages: ${failures.length} failures`);
process.exit(failures.length === 0 ? 0 : 1);
