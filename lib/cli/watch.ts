import { constants } from 'node:os';
import { type Observable, type Subscription, take, takeUntil } from 'rxjs';
import type { DrainReport, ReleaseOutcome, Releases } from '../core/lifecycle/ledger.ts';
import { beforeQuery } from '../core/text.ts';
import type { Terminal } from './terminal.ts';

/** What events are watched on: a connection of either protocol. */
interface Connection {
  readonly releases: Releases;
  close(): Promise<DrainReport>;
}

/** How long the server may take to remove everything before the user reads what is waited for. */
const QUICK_MS = 2000;

/**
 * Writes each event as one line of JSON until the user interrupts or the events end, then removes everything
 * from the server and writes the outcomes. If that takes longer than 2 seconds, it names what it waits for.
 * Interrupted again meanwhile, it ends the process at once, and names what is left.
 *
 * @returns The exit code: 0 if the events did not fail and the server is clean, else 1.
 */
export function watch(
  terminal: Terminal,
  events$: Observable<unknown>,
  connection: Connection,
): Promise<number> {
  let failed = false;
  const telling = connection.releases.outcomes$.subscribe((outcome) => {
    terminal.err(describeOutcome(outcome));
  });
  const close = async (): Promise<number> => {
    const leaving = leaveWhenInterrupted(terminal, connection.releases);
    const closing = connection.close();
    namePending(terminal, connection.releases);
    const report = await closing;
    leaving.unsubscribe();
    telling.unsubscribe();
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

function namePending(terminal: Terminal, releases: Releases): void {
  void releases.drain({ timeoutMs: QUICK_MS }).then(({ pending }) => {
    if (pending === undefined) return;
    for (const { resource, id } of pending) terminal.err(`WaitingFor ${resource} ${describeId(id)}`);
    terminal.err('The server does not answer yet. Press Ctrl-C again to exit without waiting.');
  });
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
