// Tests each law with many programs, and prints the results.
import { parseArgs } from 'node:util';
import { type Failed, type Law, NO_FIGURES, plus } from './law.ts';
import { LAWS } from './laws.ts';
import type { Figures } from './report.ts';

const HELP = `npm run laws -- [--programs N] [--seed N] [--path P] [law…]

  --programs N  how many programs of each law; 2000 by default
  --seed N      where they begin; 1 by default, and one more for each thousand
  --path P      one program, as a failure names it
  law           a number or a word of its name, such as 11 EWS; all laws by default`;

const { values, positionals } = parseArgs({
  options: {
    programs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    path: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const { path } = values;
const programs = Number(values.programs);
const seed = Number(values.seed);
/** The number of programs per round. The memory of a round is freed after it. */
const ROUND = 1000;
const MOST_LINES = 80;
const PROGRESS_MS = 60_000;

let rejections = 0;
process.on('unhandledRejection', (reason) => {
  rejections += 1;
  console.error('an unhandled rejection:', reason);
});

const inWords = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

function printFailure({ name }: Law, failed: Failed): void {
  console.log(`\n${name}: BROKEN\n\n${failed.program}\n\n${failed.breaches.slice(0, 10).join('\n')}\n`);
  for (const line of failed.trace.slice(0, MOST_LINES)) console.log(`  ${line}`);
  // By its whole name, because the path fits no other law.
  console.log(`again: npm run laws -- --programs 1 --seed ${failed.seed} --path ${failed.path} "${name}"\n`);
}

/** Tests one law, and returns whether it holds. */
async function attempt(one: Law): Promise<boolean> {
  const begun = performance.now();
  const busy = process.cpuUsage();
  let recorded = begun;
  let tried = 0;
  let figures = NO_FIGURES;
  for (let round = 0; tried < programs; round += 1) {
    const { failure, ...came } = await one.attempt(Math.min(ROUND, programs - tried), seed + round, path);
    tried += came.programs;
    figures = plus(figures, came.figures);
    if (failure !== undefined) {
      printFailure(one, failure);
      return false;
    }
    if (performance.now() - recorded > PROGRESS_MS) {
      recorded = performance.now();
      console.log(`${one.name}: ${tried} of ${programs} programs`);
    }
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  const { user, system } = process.cpuUsage(busy);
  const rate = Math.round((tried * 1e6) / (user + system));
  console.log(`${one.name}: ${tried} programs, ${inWords(figures)}, ${seconds} s, ${rate} a second of CPU`);
  return true;
}

const isAsked = ({ name, number }: Law): boolean => {
  const numbers = positionals.filter((word) => /^\d+$/.test(word)).map(Number);
  const words = positionals.filter((word) => !/^\d+$/.test(word));
  const isOfNumber = numbers.length === 0 || numbers.includes(number);
  return isOfNumber && (words.length === 0 || words.some((word) => name.includes(word)));
};

const broken: string[] = [];
for (const one of LAWS.filter(isAsked)) if (!(await attempt(one))) broken.push(one.name);
console.log(`memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`);
if (broken.length > 0) console.log(`broken: ${broken.join('; ')}`);
process.exit(broken.length === 0 && rejections === 0 ? 0 : 1);
