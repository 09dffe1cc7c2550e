import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Measures } from './benchmark.ts';

/** The results of all rounds of a contender. */
export type Samples = ReadonlyMap<string, readonly Measures[]>;

const WARM_UP_ROUNDS = 3;
const ROUNDS = 15;

/**
 * Runs the contenders in their own processes and in interleaved rounds, so that a slow phase of the machine
 * affects all.
 */
export async function measure(file: string, benchmark: Benchmark): Promise<Samples> {
  const { contenders, rounds = ROUNDS, warmUpRounds = WARM_UP_ROUNDS } = benchmark;
  const samples = new Map<string, Measures[]>(Object.keys(contenders).map((name) => [name, []]));
  const processes = new Map<string, ChildProcess>();
  try {
    for (const name of samples.keys()) processes.set(name, await start(file, name));
    for (let round = 0; round < warmUpRounds + rounds; round += 1) {
      for (const [name, child] of turned(processes, round)) {
        const measures = await roundOf(child, name);
        if (round >= warmUpRounds) samples.get(name)?.push(measures);
      }
    }
  } finally {
    for (const child of processes.values()) child.kill();
  }
  return samples;
}

/** The order rotates, so that no contender always follows the same one. */
function turned<Key, Value>(map: ReadonlyMap<Key, Value>, by: number): [Key, Value][] {
  const entries = [...map];
  const first = by % entries.length;
  return [...entries.slice(first), ...entries.slice(0, first)];
}

async function start(file: string, name: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('contender.ts', import.meta.url)), [file, name], {
    serialization: 'advanced',
  });
  await messageOf(child, name);
  return child;
}

async function roundOf(child: ChildProcess, name: string): Promise<Measures> {
  child.send('round');
  return (await messageOf(child, name)) as Measures;
}

async function messageOf(child: ChildProcess, name: string): Promise<unknown> {
  const ended = new AbortController();
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal: ended.signal }),
      once(child, 'exit', { signal: ended.signal }).then(() => {
        throw new Error(`The contender ${name} has ended before it answered`);
      }),
    ])) as unknown[];
    return message;
  } finally {
    ended.abort();
  }
}
