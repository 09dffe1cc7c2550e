import { defer, filter, type MonoTypeOperatorFunction } from 'rxjs';
import { invalidOption, objectOption } from '../lib/core/options.ts';
import { contactKey } from '../lib/core/href.ts';
import { stringAt } from './internal/event.ts';

/** The properties that {@link distinctPresence} compares by default. @inline */
export interface PresenceState {
  /** The contact, such as `sip:sara@contoso.com`. */
  readonly uri: string;
  /** Such as `Online` or `Away`; undefined if it is unknown. */
  readonly availability?: string | undefined;
  /** Such as `in-a-meeting`. */
  readonly activity?: string | undefined;
}

/** Options of {@link distinctPresence}. @inline */
export interface DistinctPresenceOptions<Value> {
  /**
   * Returns the URI or href of the contact. A value without a contact (undefined) is always emitted.
   *
   * @default its `uri`
   */
  readonly contact?: (value: Value) => string | undefined;
  /**
   * Returns the parts of the presence. Two presences are equal if all parts are, by `Object.is`.
   *
   * @default its `availability` and its `activity`
   */
  readonly presence?: (value: Value) => readonly unknown[];
}

/**
 * Returns an Observable that drops presence that equals the last one of the same contact.
 *
 * Servers repeat a presence: from another device, with a newer `lastActive`, or after a renewal. By default
 * `availability` and `activity` are compared. Contacts are identified by what their URI or href means, not by
 * its spelling. Each subscriber has its own memory, of one presence per contact.
 *
 * ![Marble diagram of distinctPresence](../docs/marbles/distinctPresence.svg)
 *
 * ```
 * source:              --sara Busy--john Busy--sara Busy--sara Away--sara Busy--|
 * distinctPresence()   --sara Busy--john Busy-------------sara Away--sara Busy--|
 * ```
 *
 * @param options Where a value has its contact and its presence. Both are required for values that are not
 * the state of a contact, such as events.
 * @returns An operator. Throws a TypeError for an option that is not a function. If one of them throws, the
 * result errors.
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
