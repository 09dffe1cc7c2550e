import { defer, filter, map, type OperatorFunction } from 'rxjs';
import { invalidOption, objectOption } from '../lib/core/options.ts';
import { contactKey } from '../lib/core/href.ts';
import { stringAt } from './internal/event.ts';
import { sameState } from '../lib/core/equal.ts';

/** Options of {@link toBoard}: whose state a value changes, and into what. */
export interface ToBoardOptions<Value, State> {
  /** The contact that a value is about: a URI or an href. What is about none, undefined, changes nothing. */
  readonly contact: (value: Value) => string | undefined;
  /**
   * The state of the contact after the value: a pure function. The state as it was, the same object, means that
   * nothing has changed, and undefined takes the contact off the board.
   *
   * @param before The state until now, undefined where the contact is not on the board.
   */
  readonly state: (before: State | undefined, value: Value) => State | undefined;
}

/**
 * Returns an Observable that keeps the last state of every contact, and emits all of them as one Map whenever
 * one has changed.
 *
 * Each emission is a new Map, and one that was emitted never changes: a user interface sees by its identity
 * that there is something to draw. Where nothing has changed nothing is emitted: without options, when a state
 * says the same as the one before, field by field.
 *
 * A contact is on the board under the URI or href that it came with first. When it comes spelled another way,
 * in upper case, with `%40` for `@`, absolute or relative, that is the same contact.
 *
 * It begins with an empty board for each subscriber, which is not emitted. Every change copies the Map: that
 * is nothing for hundreds of contacts, and time to be thought of for tens of thousands.
 *
 * ```
 * source:     --sara Busy----john Away----------------sara Busy--sara Away----------------|
 * toBoard()   --{sara Busy}--{sara Busy, john Away}--------------{sara Away, john Away}---|
 * ```
 *
 * @returns An operator. It throws a TypeError for an option that is no function. What these throw is the error
 * of the result.
 *
 * @see {@link distinctPresence}
 * @see {@link withResource}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { toBoard } from 'rxchange/operators';
 *
 * of(
 *   { uri: 'sip:sara@contoso.com', availability: 'Busy' },
 *   { uri: 'sip:john@contoso.com', availability: 'Away' },
 *   { uri: 'sip:Sara@contoso.com', availability: 'Online' },
 * )
 *   .pipe(toBoard())
 *   .subscribe((board) => {
 *     console.log([...board].map(([uri, { availability }]) => `${uri} ${availability}`).join(', '));
 *   });
 * // prints: sip:sara@contoso.com Busy
 * // prints: sip:sara@contoso.com Busy, sip:john@contoso.com Away
 * // prints: sip:sara@contoso.com Online, sip:john@contoso.com Away
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { toBoard } from 'rxchange/operators';
 *
 * const sara = { rel: 'contact', href: '/people/sara@contoso.com' };
 * of({ type: 'added', link: sara }, { type: 'updated', link: sara }, { type: 'deleted', link: sara })
 *   .pipe(
 *     toBoard({
 *       contact: (event) => event.link.href,
 *       state: (changes: number | undefined, { type }) => (type === 'deleted' ? undefined : (changes ?? 0) + 1),
 *     }),
 *   )
 *   .subscribe((board) => console.log(board.get('/people/sara@contoso.com') ?? 'gone'));
 * // prints: 1
 * // prints: 2
 * // prints: gone
 * ```
 */
export function toBoard<State extends { readonly uri: string }>(): OperatorFunction<
  State,
  ReadonlyMap<string, State>
>;
export function toBoard<Value, State>(
  options: ToBoardOptions<Value, State>,
): OperatorFunction<Value, ReadonlyMap<string, State>>;
export function toBoard(
  options: ToBoardOptions<unknown, unknown> = LAST_STATE,
): OperatorFunction<unknown, ReadonlyMap<string, unknown>> {
  const { contact, state } = objectOption('toBoard(options)', options, { contact: 1, state: 1 });
  if (typeof contact !== 'function') throw invalidOption('toBoard.contact', contact, 'a function');
  if (typeof state !== 'function') throw invalidOption('toBoard.state', state, 'a function');

  return (source) =>
    defer(() => {
      const spelled = new Map<string, string>();
      let board: ReadonlyMap<string, unknown> = new Map();

      const changed = (value: unknown): boolean => {
        const name = contact(value);
        if (name === undefined) return false;
        const key = contactKey(name);
        const listed = spelled.get(key) ?? name;
        const before = board.get(listed);
        const after = state(before, value);
        if (Object.is(after, before)) return false;
        const next = new Map(board);
        if (after === undefined) {
          spelled.delete(key);
          next.delete(listed);
        } else {
          spelled.set(key, listed);
          next.set(listed, after);
        }
        board = next;
        return true;
      };
      return source.pipe(
        filter(changed),
        map(() => board),
      );
    });
}

const LAST_STATE: ToBoardOptions<unknown, unknown> = {
  contact: (value) => stringAt(value, 'uri'),
  state: (before, value) => (sameState(before, value) ? before : value),
};
