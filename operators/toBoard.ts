import { defer, filter, map, type OperatorFunction } from 'rxjs';
import { invalidOption, objectOption } from '../lib/core/options.ts';
import { contactKey } from '../lib/core/href.ts';
import { stringAt } from './internal/event.ts';
import { sameState } from '../lib/core/equal.ts';

/** Options of {@link toBoard}. @inline */
export interface ToBoardOptions<Value, State> {
  /** Returns the URI or href of the contact. A value without a contact (undefined) changes nothing. */
  readonly contact: (value: Value) => string | undefined;
  /**
   * Returns the state of the contact after the value: a pure function. The same object as before means that
   * nothing has changed; undefined removes the contact.
   *
   * @param before The state so far; undefined if the contact is new.
   */
  readonly state: (before: State | undefined, value: Value) => State | undefined;
}

/**
 * Returns an Observable of a Map with the latest state of every contact.
 *
 * Each change emits a new Map; an emitted Map never changes, so a user interface can compare by identity. If
 * a state equals the one before, property by property, nothing is emitted.
 *
 * The key of a contact is the first spelling of its URI or href. Other spellings (upper case, `%40` for `@`,
 * absolute or relative) are the same contact.
 *
 * Each subscriber starts with an empty Map, which is not emitted. Every change copies the Map: that takes no
 * time with hundreds of contacts, but does with tens of thousands.
 *
 * ![Marble diagram of toBoard](../docs/marbles/toBoard.svg)
 *
 * ```
 * source:     --sara Busy----john Away----------------sara Busy--sara Away----------------|
 * toBoard()   --{sara Busy}--{sara Busy, john Away}--------------{sara Away, john Away}---|
 * ```
 *
 * @returns An operator. Throws a TypeError for an option that is not a function. If one of them throws, the
 * result errors.
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
