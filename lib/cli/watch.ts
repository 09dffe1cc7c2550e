import { constants } from 'node:os';
import { type Observable, type Subscription, take, takeUntil } from 'rxjs';
import type { DrainReport, ReleaseOutcome, Releases } from '../core/releases.ts';
import { beforeQuery } from '../core/text.ts';
import type { Terminal } from './terminal.ts';

/** What events are watched on: a connection of either protocol. */
export interface Connection {
  readonly releases: Releases;
  close(): Promise<DrainReport>;
}

/**
 * Writes each event as one line of JSON until the user interrupts or the events end, then removes everything
 * from the server and tells the outcomes. Interrupted again while that lasts, it ends the process at once, and
 * tells what is left.
 *
 * @returns The exit code: 0 if the events did not fail and the server is clean, else 1.
 */
export async function watch(
  terminal: Terminal,
  events$: Observable<unknown>,
  connection: Connection,
): Promise<number> {
  const telling = connection.releases.outcomes$.subscribe((outcome) => {
    terminal.err(describeOutcome(outcome));
  });
  const failed = await new Promise<boolean>((resolve) => {
    events$.pipe(takeUntil(terminal.interrupted$.pipe(take(1)))).subscribe({
      next: (event) => {
        terminal.out(JSON.stringify(event));
      },
      error: (error: unknown) => {
        terminal.err(describeError(error));
        resolve(true);
      },
      complete: () => {
        resolve(false);
      },
    });
  });
  const leaving = leaveWhenInterrupted(terminal, connection.releases);
  const report = await connection.close();
  leaving.unsubscribe();
  telling.unsubscribe();
  return failed || !report.clean ? 1 : 0;
}

/** Ends the process at the next signal, with the exit code of one that was killed by it. */
function leaveWhenInterrupted(terminal: Terminal, releases: Releases): Subscription {
  return terminal.interrupted$.pipe(take(1)).subscribe((signal) => {
    void releases.drain({ timeoutMs: 0 }).then(({ pending = [] }) => {
      for (const { resource, id } of pending) terminal.err(`NotWaitedFor ${resource} ${describeId(id)}`);
      terminal.exit(128 + constants.signals[signal as NodeJS.Signals]);
    });
  });
}

/** One line that tells how a subscription on the server ended. */
export function describeOutcome(outcome: ReleaseOutcome): string {
  const { resource, id, detail } = outcome;
  const attempts = 'attempts' in outcome && outcome.attempts > 1 ? ` after ${outcome.attempts} attempts` : '';
  const details = Object.entries(detail ?? {}).map(([name, value]) => `, ${name}: ${value}`);
  const why = 'cause' in outcome ? `: ${describeError(outcome.cause)}` : '';
  const hint = 'hint' in outcome ? ` ${outcome.hint}` : '';
  return `${outcome.outcome} ${resource} ${describeId(id)}${attempts}${details.join('')}${why}${hint}`;
}

/** The query of an href can be secret. */
function describeId(id: string | undefined): string {
  return id === undefined ? '(id unknown)' : beforeQuery(id);
}

/** One line that tells what went wrong. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
