import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { caseCount, SEED } from '../random/caseCount.ts';

/** How often a process is killed; KILLS=50 for more, which also prints what came of it. */
export const KILLS: number = Number(process.env['KILLS'] ?? caseCount(2, 20));

/** How long that may take, in milliseconds. */
export const KILLS_TIMEOUT_MS: number = 60_000 + KILLS * 20_000;

/** What the process printed: an event that it has processed, or an outcome. */
export interface OutcomeLine {
  readonly outcome?: string;
  readonly id?: string;
}

/** The life of one process. */
export interface ProcessRun<Line> {
  readonly lines: readonly Line[];
  /** Which requests of the server's log are its own. */
  readonly requests: { readonly from: number; readonly to: number };
  /** The files of checkpoints that it has left. */
  readonly files: readonly string[];
}

/** What is killed, and on what server. */
export interface Killing<Line> {
  /** What the process watches: see `crashWorker.ts`. */
  readonly protocol: 'ews' | 'ucwa';
  readonly server: {
    readonly transport: Transport;
    readonly url: string;
    readonly requests: readonly unknown[];
  };
  /** Called with each line, and which of its life it is. In the last life, returns whether that is to end. */
  readonly onLine: (line: Line, count: number, isLast: boolean) => boolean;
}

/** Numbers from 1 to most that look random, the same in every run with the same SEED. */
function numbers(most: number): () => number {
  let state = SEED;
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return 1 + (state % most);
  };
}

/**
 * Starts a process, kills it, starts it again with the checkpoints that it has left, and so on; the last is told to
 * end. It is killed by a line that it printed, or by a request of its own, which the server acts on all the same.
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
    // Told twice, it would not wait until all is removed.
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
    // Where there was never an event there is nothing to go on from: that is not what is tried here.
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

/** The outcomes of all lives that are of a kind. */
export function outcomesIn(
  lives: readonly ProcessRun<OutcomeLine>[],
  outcome: string,
): readonly OutcomeLine[] {
  return lives.flatMap(({ lines }) => lines).filter((line) => line.outcome === outcome);
}

/** Prints what came of more kills than usual. */
export function printFigures(what: string, figures: Readonly<Record<string, number>>): void {
  if (process.env['KILLS'] === undefined) return;
  const recorded = Object.entries(figures).map(([name, count]) => `${count} ${name}`);
  console.log(`${what}: ${KILLS} kills, ${recorded.join(', ')}`);
}
