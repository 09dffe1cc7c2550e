// Runs the protocols with faults for some minutes, and prints the results: --minutes N [--seed N]
// [--subscriptions N] [protocol…]
import { parseArgs } from 'node:util';
import { config, interval } from 'rxjs';
import { chaos, type ChaosReport, type Protocol, PROTOCOLS } from './chaos.ts';

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    subscriptions: { type: 'string', default: '500' },
    'one-in': { type: 'string', default: '200' },
  },
  allowPositionals: true,
});
/** The time limit of the recovery, in milliseconds. */
const AFTERMATH_MS = 120_000;
const STEP_MS = 20;

let crashes = 0;
const crashed = (error: unknown): void => {
  crashes += 1;
  console.error('a crash:', error);
};
process.on('unhandledRejection', crashed);
process.on('uncaughtException', crashed);
config.onUnhandledError = crashed;

const inWords = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'none';

function print(report: ChaosReport): void {
  const { tally, leaks } = report;
  console.log(
    `${report.protocol}: ${report.steps} steps, ${report.requests} requests\n` +
      `  faults    ${inWords(report.injected)}\n` +
      `  events    ${tally.events}, gaps ${tally.gaps}\n` +
      `  errors    ${inWords(report.errors)}\n` +
      `  outcomes  ${inWords(report.outcomes)}\n` +
      `  leaks ${leaks.length}, losses ${tally.losses}, doubles ${tally.doubles}, disorders ${tally.disorders}`,
  );
  for (const leak of leaks.slice(0, 10)) console.log(`  left: ${leak}`);
}

async function run(protocol: Protocol): Promise<boolean> {
  const end = Date.now() + Number(values.minutes) * 60_000;
  let missing: readonly string[] = ['it has not ended'];
  const overdue = setInterval(() => {
    if (Date.now() < end + AFTERMATH_MS) return;
    console.log(`${protocol}: not recovered: ${missing.join('; ')}`);
    process.exit(1);
  }, 1_000);
  const report = await chaos(
    {
      protocol,
      seed: Number(values.seed),
      subscriptions: Number(values.subscriptions),
      weather: { oneIn: Number(values['one-in']), delayMs: 500, silenceMs: 8_000 },
      isOver: () => Date.now() >= end,
      pulse$: interval(STEP_MS),
    },
    (disagreements) => (missing = disagreements),
  );
  clearInterval(overdue);
  print(report);
  const { losses, doubles, disorders } = report.tally;
  return report.leaks.length + losses + doubles + disorders === 0;
}

const asked = PROTOCOLS.filter((protocol) => positionals.length === 0 || positionals.includes(protocol));
const results = await Promise.all(asked.map(run));
console.log(`crashes ${crashes}`);
process.exit(crashes === 0 && results.every(Boolean) ? 0 : 1);
