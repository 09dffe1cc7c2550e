// Measures the inspector page at 1,000 events per second:
// node --import ts-blank-space/register test/browser/frames.ts [SECONDS [EVENTS_PER_SECOND]]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/browser/bundle.ts';
import { launchBrowser } from '../support/browser/chromium.ts';
import { httpServer } from '../support/net/httpServer.ts';

const [seconds = 10, rate = 1000] = process.argv.slice(2).map(Number);
const LANES = 8;

/** Feeds a mounted inspector, and measures the time between frames, and the memory. */
const PAGE = `<!doctype html>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<body>
<script type="module">
import { mountInspector } from './embed.js';
const records$ = { subscribe: (observer) => ((globalThis.observer = observer), { unsubscribe: () => undefined }) };
mountInspector(document.body, records$);
let seq = 0;
const emit = (record) => observer.next({ connection: 'UCWA', seq: ++seq, at: Date.now(), ...record });
emit({ type: 'connection', protocol: 'UCWA' });
emit({ type: 'status', state: 'live', since: Date.now() });
for (let lane = 1; lane <= ${LANES}; lane++)
  emit({ type: 'stream', stream: 'UCWA ' + lane, name: 'presence', detail: 'sip:sara@contoso.com', state: 'subscribed' });
globalThis.measure = (seconds, rate) =>
  new Promise((resolve) => {
    const begin = performance.now();
    const frames = [];
    let sent = 0;
    let before;
    const timer = setInterval(() => {
      const due = ((performance.now() - begin) * rate) / 1000;
      for (; sent < due; sent++)
        emit({ type: 'event', stream: 'UCWA ' + (1 + (sent % ${LANES})), name: sent % 50 === 0 ? 'gap' : 'updated', summary: 'updated contactPresence',
          value: { type: 'updated', link: { rel: 'contactPresence', href: '/people/' + sent } } });
    }, 4);
    const frame = (now) => {
      if (before !== undefined) frames.push(now - before);
      before = now;
      if (now - begin < seconds * 1000) return requestAnimationFrame(frame);
      clearInterval(timer);
      frames.sort((one, other) => one - other);
      const total = frames.reduce((sum, one) => sum + one, 0);
      const at = (part) => frames[Math.floor(frames.length * part)].toFixed(1);
      resolve({ events: sent, framesPerSecond: ((frames.length * 1000) / total).toFixed(1), medianMs: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99),
        heapMB: (performance.memory.usedJSHeapSize / 1e6).toFixed(1) });
    };
    requestAnimationFrame(frame);
  });
</script>
`;

const folder = mkdtempSync(join(tmpdir(), 'rxchange-'));
execFileSync(process.execPath, [join(ROOT, 'docs/inspector/build.js'), folder]);
const server = await httpServer(({ url = '' }, response) => {
  const isScript = url === '/embed.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? readFileSync(join(folder, 'embed.js')) : PAGE);
});
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(server.url);
  const measure = (forSeconds: number, events: number): Promise<unknown> =>
    page.evaluate(`measure(${forSeconds}, ${events})`);
  await measure(2, rate);
  console.log('idle', await measure(3, 1));
  console.log(`${rate} events per second`, await measure(seconds, rate));
  console.log('once more, for the memory', await measure(seconds, rate));
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}
