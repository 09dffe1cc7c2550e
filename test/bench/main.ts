// Runs the named benchmarks or all, and prints a table of each. --rounds sets the number of rounds.
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { measure } from './measure.ts';
import { table } from './table.ts';

const SUFFIX = '-bench.ts';
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' } },
});
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(1);
}
for (const name of asked.length > 0 ? asked : known) {
  const file = new URL(`${name}${SUFFIX}`, import.meta.url).href;
  const { benchmark } = (await import(file)) as { readonly benchmark: Benchmark };
  const measured =
    values.rounds === undefined
      ? benchmark
      : { ...benchmark, rounds: Number(values.rounds), warmUpRounds: 1 };
  console.log(table(name, benchmark, await measure(file, measured)));
}
