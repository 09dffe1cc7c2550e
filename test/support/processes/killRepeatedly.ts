import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { caseCount, SEED } from '../random/caseCount.ts';

/** The number of kills; KILLS=50 for more, which also prints the results. */
export const KILLS: number = Number(process.env['KILLS'] ?? caseCount(2, 20));

/** The longest time for these, in milliseconds. */
export const KILLS_TIMEOUT_MS: number = 60_000 + KILLS * 20_000;

/** A line of the process: a processed event or an outcome. */
export interface OutcomeLine {
  readonly outcome?: string;
  readonly id?: string;
}

/** The run of one process. */
export interface ProcessRun<Line> {
  readonly lines: readonly Line[];
  /** The range of its requests in the server's log. */
  readonly requests: { readonly from: number; readonly to: number };
  /** The checkpoint files that it left. */
  readonly files: readonly string[];
}

/** The process to kill, and its server. */
export interface Killing<Line> {
  /** The protocol of `crashWorker.ts`. */
  readonly protocol: 'ews' | 'ucwa';
  readonly server: {
    readonly transport: Transport;
    readonly url: string;
    readonly requests: readonly unknown[];
  };
  /** Called with each line and its number. In the last run, returns whether the process is to end. */
  readonly onLine: (line: Line, count: number, isLast: boolean) => boolean;
}

/** Returns a generator of pseudorandom numbers from 1 to `max`, which depends on SEED. */
function numbers(max: number): () => number {
  let state = SEED;
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return 1 + (state % max);
  };
}

/**
 * Repeatedly starts a process with the checkpoints of the previous one and kills it; the last one ends
 * normally.
 *
 * The process is killed after a line that it printed, or during a request, on which the server still acts.
 */
export async function killRepeatedly<Line>(killing: Killing<Line>): Promise<readonly ProcessRun<Line>[]> {
  const { protocol, server, onLine } = killing;
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  const pick = numbers(12);
  const lives: ProcessRun<Line>[] = [];
  let child: ChildProcess | undefined;
  let untilRequest = Infinity;
  const served = await serve((request) => {
    untilRequest -= 1;
    if (untilRequest === 0) child?.kill('SIGKILL');
    return server.transport(request);
  });
  const url = new URL(new URL(server.url).pathname, served.origin).href;
  const script = new URL('crashWorker.ts', import.meta.url).pathname;

  const live = async (untilLine: number, isLast: boolean): Promise<void> => {
    const from = server.requests.length;
    const lines: Line[] = [];
    // A second signal would end it before everything is released.
    let isEnding = false;
    const args = ['--import', 'ts-blank-space/register', script, protocol, url, join(folder, 'checkpoints')];
    const mine = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = mine;
    const reader = createInterface({ input: mine.stdout });
    reader.on('line', (text) => {
      const line = JSON.parse(text) as Line;
      lines.push(line);
      const isToEnd = onLine(line, lines.length, isLast);
      if (lines.length === untilLine) mine.kill('SIGKILL');
      else if (isLast && isToEnd && !isEnding) isEnding = mine.kill('SIGTERM');
    });
    await Promise.all([once(mine, 'exit'), once(reader, 'close')]);
    lives.push({ lines, requests: { from, to: server.requests.length }, files: readdirSync(folder) });
  };

  try {
    // The first run must save a checkpoint, so it has at least three lines.
    await live(3, false);
    for (let kills = 1; kills < KILLS; kills += 1) {
      const at = pick();
      const byLine = pick() % 2 === 0;
      untilRequest = byLine ? Infinity : at;
      await live(byLine ? at : Infinity, false);
    }
    untilRequest = Infinity;
    await live(Infinity, true);
    return lives;
  } finally {
    child?.kill('SIGKILL');
    await served.close();
    rmSync(folder, { recursive: true });
  }
}

/** Returns the outcomes of one type in all runs. */
export function outcomesIn(
  lives: readonly ProcessRun<OutcomeLine>[],
  outcome: string,
): readonly OutcomeLine[] {
  return lives.flatMap(({ lines }) => lines).filter((line) => line.outcome === outcome);
}

/** Prints the results if KILLS is set. */
export function printFigures(what: string, figures: Readonly<Record<string, number>>): void {
  if (process.env['KILLS'] === undefined) return;
  const recorded = Object.entries(figures).map(([name, count]) => `${count} ${name}`);
  console.log(`${what}: ${KILLS} kills, ${recorded.join(', ')}`);
}
