import { expect } from 'chai';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ewsSimulator } from '../lib/testing/ewsSimulator.ts';
import { serve } from '../lib/testing/serve.ts';

/** How often the process is killed; KILLS=50 for more. */
const KILLS = Number(process.env['KILLS'] ?? 10);

/** What the process printed: an event that it has processed, or an outcome. */
interface Line {
  readonly type?: string;
  readonly watermark?: string;
  readonly item?: { readonly id: string };
  readonly outcome?: string;
  readonly id?: string;
}

/** The life of one process. */
interface Life {
  readonly mails: { readonly id: string; readonly watermark: string | undefined }[];
  readonly gaps: number;
  readonly outcomes: Line[];
  /** Behind what its last question asked for events: all up to there was saved. */
  readonly asked: string | undefined;
}

/** Numbers from 1 to most that look random, the same in every run with the same SEED. */
function numbers(most: number): () => number {
  let state = Number(process.env['SEED'] ?? 1);
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return 1 + (state % most);
  };
}

describe('A process that watches a mailbox, and is killed', () => {
  it(`should lose nothing, repeat only the last batch, and leave nothing on the server: ${KILLS} times`, async function () {
    this.timeout(60_000 + KILLS * 20_000);
    const folder = mkdtempSync(join(tmpdir(), 'crash-'));
    const server = ewsSimulator();
    const delivered: string[] = [];
    const pick = numbers(12);
    let child: ChildProcess;
    let untilRequest = Infinity;
    /** Whether each event brings another mail. */
    let isBusy = true;

    // The process may be killed by a request of its own, which the server acts on all the same.
    const served = await serve((request) => {
      untilRequest -= 1;
      if (untilRequest === 0) child.kill('SIGKILL');
      return server.transport(request);
    });
    const url = new URL(new URL(server.url).pathname, served.origin).href;
    const script = new URL('support/watches.ts', import.meta.url).pathname;

    /** Runs the process until it ends, which `onLine` brings about if the server does not. */
    const live = async (onLine: (lines: number, life: Life) => void): Promise<Life> => {
      const begun = server.requests.length;
      const life = { mails: [] as Life['mails'], gaps: 0, outcomes: [] as Line[] };
      let lines = 0;
      const args = ['--import', 'ts-blank-space/register', script, url, join(folder, 'checkpoints')];
      child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const reader = createInterface({ input: child.stdout! });
      reader.on('line', (text) => {
        const line = JSON.parse(text) as Line;
        if (line.outcome !== undefined) life.outcomes.push(line);
        if (line.type === 'gap') life.gaps += 1;
        if (line.type === 'newMail') life.mails.push({ id: line.item!.id, watermark: line.watermark });
        if (line.type !== undefined && isBusy) delivered.push(server.deliverMail());
        lines += 1;
        onLine(lines, { ...life, asked: undefined });
      });
      await Promise.all([once(child, 'exit'), once(reader, 'close')]);
      const questions = server.requests.slice(begun).filter(({ operation }) => operation === 'GetEvents');
      return { ...life, asked: questions.at(-1)?.watermark };
    };
    const lives: Life[] = [];
    const seen = (): Set<string> => new Set(lives.flatMap(({ mails }) => mails.map(({ id }) => id)));

    try {
      // Where there was never an event there is nothing to go on from: that is not what is tried here.
      lives.push(await live((lines) => lines === 3 && child.kill('SIGKILL')));
      for (let kills = 1; kills < KILLS; kills += 1) {
        const at = pick();
        const byLine = pick() % 2 === 0;
        untilRequest = byLine ? Infinity : at;
        lives.push(await live((lines) => byLine && lines === at && child.kill('SIGKILL')));
      }
      untilRequest = Infinity;
      isBusy = false;
      const last = await live((_, { mails }) => {
        const all = seen();
        for (const { id } of mails) all.add(id);
        if (delivered.every((id) => all.has(id))) child.kill('SIGTERM');
      });
      lives.push(last);

      // Nothing is lost, and nothing was ever in doubt.
      expect(delivered.filter((id) => !seen().has(id))).to.deep.equal([]);
      expect(lives.reduce((sum, { gaps }) => sum + gaps, 0)).to.equal(0);

      // What comes twice is what came behind the watermark that the process before asked for last.
      const all: Life['mails'] = [];
      for (const [index, { mails }] of lives.entries()) {
        const asked = lives.slice(0, index).findLast((life) => life.asked !== undefined)?.asked ?? '';
        for (const { id, watermark } of mails) {
          const before = all.find((mail) => mail.id === id);
          if (before === undefined) continue;
          expect(before.watermark).to.equal(watermark);
          expect(atob(watermark ?? '') > atob(asked)).to.equal(true);
        }
        // Without those, all are in the server's order.
        all.push(...mails.filter(({ id }) => !all.some((mail) => mail.id === id)));
      }
      expect(all.map(({ id }) => id)).to.deep.equal(delivered);

      // What is left is what was being asked for when the process was killed: each was told.
      const unknown = lives
        .flatMap(({ outcomes }) => outcomes)
        .filter(({ outcome }) => outcome === 'Unknown');
      expect(server.subscriptions.length).to.be.at.most(unknown.length);
      const failed = lives.flatMap(({ outcomes }) => outcomes).filter(({ outcome }) => outcome === 'Failed');
      expect(failed).to.deep.equal([]);
    } finally {
      child!.kill('SIGKILL');
      await served.close();
      rmSync(folder, { recursive: true });
    }
  });
});
