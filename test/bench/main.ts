// Runs the benchmarks that are named, or all, and prints a table of each.
import { readdirSync } from 'node:fs';
import type { Benchmark } from './benchmark.ts';
import { measure } from './measure.ts';
import { table } from './table.ts';

const SUFFIX = '-bench.ts';
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(1);
}
for (const name of asked.length > 0 ? asked : known) {
  const file = new URL(`${name}${SUFFIX}`, import.meta.url).href;
  const { benchmark } = (await import(file)) as { readonly benchmark: Benchmark };
  console.log(table(name, benchmark, await measure(file, benchmark)));
}
