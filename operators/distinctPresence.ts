import { defer, filter, type MonoTypeOperatorFunction } from 'rxjs';
import { invalidOption, objectOption } from '../lib/core/options.ts';
import { contactKey } from '../lib/core/href.ts';
import { stringAt } from './internal/event.ts';

/** What {@link distinctPresence} looks at where it is told nothing else. */
export interface PresenceState {
  /** The contact, such as `sip:sara@contoso.com`. */
  readonly uri: string;
  /** Such as `Online` or `Away`; undefined where it is not known. */
  readonly availability?: string | undefined;
  /** Such as `in-a-meeting`. */
  readonly activity?: string | undefined;
}

/** Options of {@link distinctPresence}: whose presence a value tells, and what it is. */
export interface DistinctPresenceOptions<Value> {
  /**
   * The contact that a value is about: a URI or an href. What is about none, undefined, is emitted always.
   *
   * @default its `uri`
   */
  readonly contact?: (value: Value) => string | undefined;
  /**
   * What makes up the presence. Two are the same where each of these is, by `Object.is`.
   *
   * @default its `availability` and its `activity`
   */
  readonly presence?: (value: Value) => readonly unknown[];
}

/**
 * Returns an Observable that emits the values of the source, without those that say of a contact the same
 * presence as the last one of that contact.
 *
 * A server tells the same presence again: with another device, with a newer `lastActive`, after a subscription
 * was renewed. By default `availability` and `activity` count, and nothing else. It remembers the last presence
 * of every contact, for each subscriber anew; contacts are told apart by what their URI or href means, not by
 * how it is spelled.
 *
 * ```
 * source:              --sara Busy--john Busy--sara Busy--sara Away--sara Busy--|
 * distinctPresence()   --sara Busy--john Busy-------------sara Away--sara Busy--|
 * ```
 *
 * @param options Where a value says its contact and its presence. For values that are no
 * {@link PresenceState}, such as events, both are to be given.
 * @returns An operator. It throws a TypeError for an option that is no function. What these throw is the error
 * of the result.
 *
 * @see {@link toBoard}
 * @see {@link https://rxjs.dev/api/operators/distinctUntilChanged | distinctUntilChanged}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { distinctPresence } from 'rxchange/operators';
 *
 * of(
 *   { uri: 'sip:sara@contoso.com', availability: 'Busy', deviceType: 'Desktop' },
 *   { uri: 'sip:Sara@contoso.com', availability: 'Busy', deviceType: 'Mobile' },
 *   { uri: 'sip:sara@contoso.com', availability: 'Away', deviceType: 'Mobile' },
 * )
 *   .pipe(distinctPresence())
 *   .subscribe(({ availability, deviceType }) => console.log(`${availability} (${deviceType})`));
 * // prints: Busy (Desktop)
 * // prints: Away (Mobile)
 * ```
 */
export function distinctPresence<Value>(
  options: Required<DistinctPresenceOptions<Value>>,
): MonoTypeOperatorFunction<Value>;
export function distinctPresence<State extends PresenceState>(
  options?: DistinctPresenceOptions<State>,
): MonoTypeOperatorFunction<State>;
export function distinctPresence<Value>(
  options: DistinctPresenceOptions<Value> = {},
): MonoTypeOperatorFunction<Value> {
  const { contact = uriOf, presence = presenceOf } = objectOption('distinctPresence(options)', options, {
    contact: 1,
    presence: 1,
  });
  if (typeof contact !== 'function') throw invalidOption('distinctPresence.contact', contact, 'a function');
  if (typeof presence !== 'function')
    throw invalidOption('distinctPresence.presence', presence, 'a function');

  return (source) =>
    defer(() => {
      const known = new Map<string, readonly unknown[]>();
      return source.pipe(
        filter((value) => {
          const name = contact(value);
          if (name === undefined) return true;
          const key = contactKey(name);
          const before = known.get(key);
          const now = presence(value);
          known.set(key, now);
          return before === undefined || !sameParts(before, now);
        }),
      );
    });
}

function uriOf(value: unknown): string | undefined {
  return stringAt(value, 'uri');
}

function presenceOf(value: unknown): readonly unknown[] {
  return [stringAt(value, 'availability'), stringAt(value, 'activity')];
}

function sameParts(before: readonly unknown[], now: readonly unknown[]): boolean {
  return before.length === now.length && now.every((part, index) => Object.is(part, before[index]));
}
