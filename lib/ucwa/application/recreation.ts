import { SuspendedError } from '../../core/lifecycle/suspension.ts';
import { decide, isRecreated, type OnApplicationEnded } from '../protocol/failures.ts';

/** The creations of an application so far. */
export interface CreationState {
  /** When the application was created, in milliseconds; undefined while there is none. */
  readonly createdAt: number | undefined;
  /** Whether there was an application before. */
  readonly hasSucceeded: boolean;
  /** Creations in a row that failed, or whose application ended soon. */
  readonly failures: number;
}

/** The reaction to an error: the next creation after the wait for so many failures in a row, or the end. */
export type CreationStep =
  { readonly type: 'create'; readonly afterFailures: number } | { readonly type: 'fail' };

/** The options that decide about the next creation. */
export interface RecreationPolicy {
  /** The reaction to a server that has ended the application with status 410. */
  readonly onApplicationEnded: OnApplicationEnded;
  /** The reaction to an unreachable server before the first application. */
  readonly whenUnreachable: 'wait' | 'error';
}

/** An application that ends sooner than this is re-created with backoff, in milliseconds. */
const LASTS_AT_LEAST_MS = 60_000;

/** The state before the first creation. */
export const NOT_CREATED: CreationState = { createdAt: undefined, hasSucceeded: false, failures: 0 };

/** Returns the state after a creation. */
export function afterCreation({ failures }: CreationState, now: number): CreationState {
  return { createdAt: now, hasSucceeded: true, failures };
}

/**
 * Returns the state after a creation has failed, or an application has ended, and the next step: a pure
 * function.
 *
 * @param now In milliseconds of the scheduler's clock.
 */
export function afterError(
  before: CreationState,
  error: unknown,
  now: number,
  { onApplicationEnded, whenUnreachable }: RecreationPolicy,
): readonly [CreationState, CreationStep] {
  const { createdAt, hasSucceeded, failures } = before;
  const gone = { ...before, createdAt: undefined };
  if (error instanceof SuspendedError) return [gone, { type: 'create', afterFailures: 0 }];
  if (createdAt === undefined) {
    const failed = { ...gone, failures: failures + 1 };
    const isRetried = hasSucceeded || whenUnreachable === 'wait';
    return isRetried && decide('channel', error, failed.failures) === 'retry'
      ? [failed, { type: 'create', afterFailures: failed.failures }]
      : [failed, { type: 'fail' }];
  }
  if (!isRecreated(error, onApplicationEnded)) return [gone, { type: 'fail' }];
  const soon = now - createdAt < LASTS_AT_LEAST_MS ? failures + 1 : 0;
  return [
    { ...gone, failures: soon },
    { type: 'create', afterFailures: Math.max(0, soon - 1) },
  ];
}
