// node shoot.mjs BUNDLE DASHBOARDS OUT: every dashboard in headless Chromium, with the figures that Prometheus has at
// 127.0.0.1:9090. Exit status 1 when a panel shows an error, nothing, or never loads. PNGs go to OUT.
import { cpSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const [bundle, dashboards, out] = process.argv.slice(2);
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const names = readdirSync(dashboards).filter((name) => name.endsWith('.json')).map((name) => path.parse(name).name);
mkdirSync(out, { recursive: true });
for (const name of names) {
  cpSync(path.join(dashboards, `${name}.json`), path.join(bundle, `${name}.json`));
}
const server = await preview({ root: path.dirname(new URL(import.meta.url).pathname), build: { outDir: bundle }, logLevel: 'error' });
// Each launch has an empty profile of its own.
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', timeout: 60000, args: FLAGS });
let faults = 0;
const fault = (name, what) => { faults += 1; console.log(`FAULT ${name} ${what}`); };

/** What a panel shows: its text beside the title, and whether a canvas of it has nothing drawn on it. */
const seen = () => [...document.querySelectorAll('[data-viz-panel-key]')].map((panel) => {
  const title = panel.querySelector('h2, h6, [title]')?.textContent ?? panel.dataset.vizPanelKey;
  const canvases = [...panel.querySelectorAll('canvas')];
  return {
    title,
    text: panel.innerText,
    bare: canvases.length === 0 && panel.innerText.replace(title, '').trim() === '',
    empty: canvases.some((canvas) => {
      const pixels = canvas.width ? canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data : [];
      return !pixels.some((value, at) => at % 4 === 3 && value > 0);
    }),
  };
});

for (const name of names) {
  const dashboard = JSON.parse(readFileSync(path.join(dashboards, `${name}.json`)));
  const page = await browser.newPage({ viewport: { width: 1600, height: 1200 } });
  page.on('pageerror', (error) => fault(name, `page error: ${error.message}`));
  const tall = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h)) * 38 + 160;
  await page.setViewportSize({ width: 1600, height: tall });
  await page.goto(`http://127.0.0.1:9595/?d=${name}&from=now-4m&station=${name === 'gridtap-station' ? 'FDR-1' : ''}`);
  const expected = dashboard.panels.filter((p) => p.type !== 'row').length;
  const all = (count) => document.querySelectorAll('[data-viz-panel-key]').length >= count;
  await page.waitForFunction(all, expected, { timeout: 30000 }).catch(() => fault(name, 'panels are missing'));
  // Every query has its answer; then the panels have time to draw.
  const queries = dashboard.panels.flatMap((p) => p.targets ?? []).length;
  const answered = (count) => window.queries.length >= count;
  await page.waitForFunction(answered, queries, { timeout: 60000 }).catch(() => fault(name, 'queries have no answer'));
  await page.waitForTimeout(3000);
  const panels = await page.evaluate(seen);
  for (const panel of panels) {
    if (/No data|An unexpected error|Loading plugin panel|Failed to|cannot be shown/.test(panel.text)) {
      fault(name, `[${panel.title}] ${panel.text.replace(/\s+/g, ' ').slice(0, 160)}`);
    }
    if (panel.bare) {
      fault(name, `[${panel.title}] shows nothing`);
    }
    if (panel.empty) {
      fault(name, `[${panel.title}] an empty canvas`);
    }
  }
  for (const query of (await page.evaluate(() => window.queries)).filter((query) => query.error)) {
    fault(name, `${query.error}: ${query.expr}`);
  }
  await page.screenshot({ path: path.join(out, `${name}.png`), fullPage: true });
  console.log(`${name}: ${panels.length} of ${expected} panels`);
  await page.close();
}
await browser.close();
server.httpServer.close();
process.exit(faults ? 1 : 0);
