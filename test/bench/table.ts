import type { Benchmark, Goal, Measures } from './benchmark.ts';
import type { Samples } from './measure.ts';

/**
 * Returns the lines of a benchmark's table: the medians of each contender, then the goals and their results.
 */
export function table(name: string, { work, contenders, goals }: Benchmark, samples: Samples): string {
  const names = Object.keys(contenders);
  const measures = [...new Set(names.flatMap((one) => Object.keys(samples.get(one)?.[0] ?? {})))];
  const rows = names.map((one) => [
    one,
    ...measures.map((measure) => figure(median(samples.get(one) ?? [], measure))),
  ]);
  return [
    `\n${name}: ${work}`,
    ...aligned([['contender', ...measures], ...rows]),
    ...aligned(goals.map((goal) => goalRow(goal, samples))),
  ].join('\n');
}

function goalRow(goal: Goal, samples: Samples): string[] {
  const { measure, of, per, minus, perMeasure = measure, atMost, atLeast } = goal;
  const own = median(samples.get(of) ?? [], measure);
  const other = median(samples.get(per ?? minus ?? '') ?? [], perMeasure);
  const value = per !== undefined ? own / other : minus !== undefined ? own - other : own;
  const isOk = value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity);
  const otherMeasure = perMeasure === measure ? '' : `${perMeasure} of `;
  return [
    `${measure} of ${of}${per === undefined ? '' : ` / ${otherMeasure}${per}`}${minus === undefined ? '' : ` - ${otherMeasure}${minus}`}`,
    figure(value),
    atMost === undefined ? `>= ${figure(atLeast ?? NaN)}` : `<= ${figure(atMost)}`,
    isOk ? 'ok' : 'short',
  ];
}

/** Returns the median of a measure, or the mean of the two middle values. */
export function median(samples: readonly Measures[], measure: string): number {
  const values = samples.map((one) => one[measure] ?? NaN).sort((a, b) => a - b);
  const middle = values.length / 2;
  const [low = NaN, high = NaN] = [values[Math.ceil(middle) - 1], values[Math.floor(middle)]];
  return (low + high) / 2;
}

function figure(value: number): string {
  if (Number.isNaN(value)) return '-';
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd(),
  );
}
