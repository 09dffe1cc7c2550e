import { identity, type MonoTypeOperatorFunction, type SubjectLike } from 'rxjs';
import { choiceOption, numberOption, type OptionNames } from '../../core/options.ts';
import { shareWithGrace } from '../../core/lifecycle/closing.ts';
import type { UcwaSession } from '../session/session.ts';
import type { OnEnd } from './recreation.ts';

/** How long a presence subscription lives. */
export interface LifetimeOptions {
  /**
   * How long the server keeps the subscription when it hears nothing of it, in minutes from 10 to 30. It is
   * extended before that, for as long as the Observable is subscribed to.
   * @default 30
   */
  readonly durationMinutes?: number;
  /**
   * What to do when the server has ended the subscription nevertheless, or has lost it: make it again, which a
   * `gap` event tells; complete; or error, with an `EndedError` that says why.
   * @default 'recreate'
   */
  readonly onEnd?: OnEnd;
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for so many seconds after
   * the last has left.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
}

/** The names of {@link LifetimeOptions}. */
export const LIFETIME_NAMES: OptionNames<LifetimeOptions> = { durationMinutes: 1, onEnd: 1, graceSeconds: 1 };

/** The options with their defaults. */
export interface Lifetime {
  readonly durationMinutes: number;
  readonly onEnd: OnEnd;
  readonly graceSeconds: number | undefined;
}

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function checkLifetime(options: LifetimeOptions): Lifetime {
  const { durationMinutes = 30, onEnd = 'recreate', graceSeconds } = options;
  if (graceSeconds !== undefined) numberOption('graceSeconds', graceSeconds, { min: 0, max: 86_400 });
  return {
    durationMinutes: numberOption('durationMinutes', durationMinutes, { min: 10, max: 30, integer: true }),
    onEnd: choiceOption('onEnd', onEnd, ['recreate', 'complete', 'error']),
    graceSeconds,
  };
}

/**
 * Returns an Observable that its subscribers share where a grace time is given.
 *
 * @param connector As for {@link shareWithGrace}.
 */
export function shared<Value>(
  { ledger }: UcwaSession,
  { graceSeconds }: Lifetime,
  connector?: () => SubjectLike<Value>,
): MonoTypeOperatorFunction<Value> {
  return graceSeconds === undefined ? identity : shareWithGrace(ledger, graceSeconds * 1000, connector);
}
