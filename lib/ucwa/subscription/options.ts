import { identity, type MonoTypeOperatorFunction, type SubjectLike } from 'rxjs';
import type { OptionRules } from '../../core/options.ts';
import { shareWithGrace } from '../../core/lifecycle/closing.ts';
import type { UcwaSession } from '../session/session.ts';
import type { OnLost } from './recreation.ts';

/** The lifetime of a presence subscription. @inline */
export interface LifetimeOptions {
  /**
   * The time after which the server ends a subscription that is not extended, in minutes from 10 to 30. The
   * subscription is extended as long as the Observable is subscribed to.
   * @default 30
   */
  readonly durationMinutes?: number;
  /**
   * The reaction to a server that has ended or lost the subscription: create it again and emit a `gap` event,
   * complete, or error with an `EndedError`. After a suspension of the connection it is always created again.
   * @default 'recreate'
   */
  readonly onLost?: 'recreate' | 'complete' | 'error';
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for that many seconds
   * after the last one has left.
   * @default each subscriber has its own subscription
   */
  readonly graceSeconds?: number;
}

/** The rules of {@link LifetimeOptions}. */
export const LIFETIME_RULES: OptionRules<LifetimeOptions> = {
  durationMinutes: { min: 10, max: 30, integer: true },
  onLost: ['recreate', 'complete', 'error'],
  graceSeconds: { min: 0, max: 86_400 },
};

/** The resolved {@link LifetimeOptions}. */
export interface Lifetime {
  readonly durationMinutes: number;
  readonly onLost: OnLost;
  readonly graceSeconds: number | undefined;
}

/** Returns the options, which follow their {@link LIFETIME_RULES}, with their defaults. */
export function lifetimeOf({
  durationMinutes = 30,
  onLost = 'recreate',
  graceSeconds,
}: LifetimeOptions): Lifetime {
  return { durationMinutes, onLost, graceSeconds };
}

/**
 * Returns an operator that shares the source between subscribers if a grace period is given.
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
