import { constants } from 'node:os';
import { type Observable, type Subscription, take, takeUntil } from 'rxjs';
import type { DrainReport, Releases } from '../core/lifecycle/ledger.ts';
import type { ReleaseOutcome } from '../core/lifecycle/releaseOutcome.ts';
import { beforeQuery } from '../core/text.ts';
import type { Terminal } from './terminal.ts';

/** A connection of either protocol. */
interface Connection {
  readonly releases: Releases;
  close(): Promise<DrainReport>;
}

/** The time after which the user sees the pending releases. */
const PENDING_NOTICE_MS = 2000;

/**
 * Prints each event as one line of JSON until the user interrupts or the events end.
 *
 * Then it closes the connection and prints the outcomes. After 2 seconds it prints the pending releases; a
 * second interrupt ends the process immediately, and prints them as not awaited.
 *
 * @returns The exit code: 0 if the events did not fail and everything was released, else 1
 */
export function watch(
  terminal: Terminal,
  events$: Observable<unknown>,
  connection: Connection,
): Promise<number> {
  let failed = false;
  const printing = connection.releases.outcomes$.subscribe((outcome) => {
    terminal.err(describeOutcome(outcome));
  });
  const close = async (): Promise<number> => {
    const exiting = exitWhenInterrupted(terminal, connection.releases);
    const closing = connection.close();
    printPending(terminal, connection.releases);
    const report = await closing;
    exiting.unsubscribe();
    printing.unsubscribe();
    return failed || !report.clean ? 1 : 0;
  };
  const watching = events$.pipe(takeUntil(terminal.interrupted$.pipe(take(1)))).subscribe({
    next: (event) => {
      terminal.out(JSON.stringify(event));
    },
    error: (error: unknown) => {
      terminal.err(describeError(error));
      failed = true;
    },
  });
  return new Promise((resolve) => {
    watching.add(() => resolve(close()));
  });
}

function printPending(terminal: Terminal, releases: Releases): void {
  void releases.drain({ timeoutMs: PENDING_NOTICE_MS }).then(({ pending }) => {
    if (pending === undefined) return;
    for (const { resource, id } of pending) terminal.err(`Pending ${resource} ${describeId(id)}`);
    terminal.err('The server has not responded yet. Press Ctrl-C again to exit without waiting.');
  });
}

/** Ends the process at the next signal, with the exit code of a process killed by it. */
function exitWhenInterrupted(terminal: Terminal, releases: Releases): Subscription {
  return terminal.interrupted$.pipe(take(1)).subscribe((signal) => {
    void releases.drain({ timeoutMs: 0 }).then(({ pending = [] }) => {
      for (const { resource, id } of pending) terminal.err(`NotAwaited ${resource} ${describeId(id)}`);
      terminal.exit(128 + constants.signals[signal as NodeJS.Signals]);
    });
  });
}

/** Returns one line about the outcome of a release. */
export function describeOutcome(outcome: ReleaseOutcome): string {
  const { resource, id, detail } = outcome;
  const attempts = 'attempts' in outcome && outcome.attempts > 1 ? ` after ${outcome.attempts} attempts` : '';
  const details = Object.entries(detail ?? {}).map(([name, value]) => `, ${name}: ${value}`);
  const why = 'cause' in outcome ? `: ${describeError(outcome.cause)}` : '';
  const hint = 'hint' in outcome ? ` ${outcome.hint}` : '';
  return `${outcome.outcome} ${resource} ${describeId(id)}${attempts}${details.join('')}${why}${hint}`;
}

/** Omits the query, which can be secret. */
function describeId(id: string | undefined): string {
  return id === undefined ? '(id unknown)' : beforeQuery(id);
}

/** Returns one line about an error. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
