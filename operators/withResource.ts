import {
  catchError,
  defer,
  dematerialize,
  first,
  from,
  map,
  materialize,
  type Observable,
  type ObservableInput,
  type ObservableNotification,
  of,
  type OperatorFunction,
  timeout,
  concatMap,
  mergeMap,
} from 'rxjs';
import { LONGEST_TIMER_MS } from '../lib/core/backoff/backoff.ts';
import { invalidOption, numberOption, objectOption } from '../lib/core/options.ts';
import { type FetchableEvent, hasType, stringAt } from './internal/event.ts';

/** Options of {@link withResource}. @inline */
export interface WithResourceOptions<Event> {
  /** The most fetches at a time. @default 4 */
  readonly concurrency?: number;
  /**
   * The longest duration of a fetch, in milliseconds. After that the event's `error` is a TimeoutError.
   *
   * @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * Returns whether to fetch the resource of an event that does not contain it.
   *
   * @default true for `added`, `updated` and `started`; the resources of other events may no longer exist
   */
  readonly fetches?: (event: Event) => boolean;
}

/** The type of the resource that `Event` may contain. @inline */
export type EmbeddedIn<Event extends FetchableEvent> = Event extends unknown
  ? 'resource' extends keyof Event
    ? NonNullable<Event['resource']>
    : never
  : never;

/**
 * `Event` with its resource, with the `error` of the fetch, or with neither if nothing was fetched.
 *
 * @inline
 */
export type WithResource<Event, Resource> = Event extends unknown
  ? Omit<Event, 'resource' | 'error'> &
      (
        | { readonly resource: Resource; readonly error?: undefined }
        | { readonly resource?: undefined; readonly error?: unknown }
      )
  : never;

/**
 * Returns an Observable that adds to each event the resource that it links to.
 *
 * A resource that the event already contains is used; otherwise it is fetched. Several are fetched at a time,
 * and the order of the events is kept. If a fetch fails, the event has an `error` and no `resource`, and the
 * stream continues. The result completes or errors after all events before the end of the source.
 * Unsubscribing aborts the fetches.
 *
 * A fetched resource can be newer than its event. Events are never dropped: they are buffered while fetches
 * are slower than the source.
 *
 * ![Marble diagram of withResource](../docs/marbles/withResource.svg)
 *
 * ```
 * source:             --updated A----------updated B {B}--deleted A--|
 *                        GET A ······ 200
 * withResource(get)   ----------------(updated A {A}, updated B {B})--deleted A--|
 * ```
 *
 * @param get Fetches the resource at an href, such as `(href) => ucwa.get({ href })`. Its first value counts,
 * and an error becomes the event's `error`.
 * @returns An operator. Throws a TypeError that names an invalid option. If `fetches` throws, the result
 * errors.
 *
 * @see {@link toBoard}
 * @see {@link ofRel}
 *
 * @example
 * ```ts
 * import { of, throwError } from 'rxjs';
 * import { withResource } from 'rxchange/operators';
 *
 * const answers: Record<string, { availability: string }> = { '/people/1/presence': { availability: 'Busy' } };
 * const get = (href: string) => of(answers[href] ?? { availability: 'Unknown' });
 * const failing = () => throwError(() => new Error('there is no network'));
 * const event = { type: 'updated', link: { rel: 'contactPresence', href: '/people/1/presence' } };
 *
 * of(event)
 *   .pipe(withResource(get))
 *   .subscribe(({ resource }) => console.log(resource?.availability));
 * // prints: Busy
 * of(event)
 *   .pipe(withResource(failing))
 *   .subscribe(({ type, error }) => console.log(type, error instanceof Error && error.message));
 * // prints: updated there is no network
 * ```
 */
export function withResource<Event extends FetchableEvent, Resource>(
  get: (href: string) => ObservableInput<Resource>,
  options?: WithResourceOptions<Event>,
): OperatorFunction<Event, WithResource<Event, Resource | EmbeddedIn<Event>>>;
export function withResource(
  get: (href: string) => ObservableInput<unknown>,
  options: WithResourceOptions<FetchableEvent> = {},
): OperatorFunction<FetchableEvent, FetchableEvent> {
  const {
    concurrency = 4,
    timeoutMs = 30_000,
    fetches = isAboutResource,
  } = objectOption('withResource(options)', options, { concurrency: 1, timeoutMs: 1, fetches: 1 });
  numberOption('withResource.concurrency', concurrency, { min: 1, integer: true });
  numberOption('withResource.timeoutMs', timeoutMs, { min: 0, max: LONGEST_TIMER_MS });
  if (typeof fetches !== 'function') throw invalidOption('withResource.fetches', fetches, 'a function');
  if (typeof get !== 'function') {
    throw invalidOption('withResource(get)', get, 'a function, such as (href) => ucwa.get({ href })');
  }

  const addResource = (event: FetchableEvent): Observable<FetchableEvent> => {
    const href = stringAt(event, 'link', 'href');
    if (hasResource(event) || href === undefined || !fetches(event)) return of(event);
    return defer(() => from(get(href))).pipe(
      timeout({ first: timeoutMs }),
      first(),
      map((resource) => ({ ...event, resource })),
      catchError((error: unknown) => of({ ...event, error })),
    );
  };
  const inOrder = (
    notification: ObservableNotification<FetchableEvent>,
  ): Observable<ObservableNotification<FetchableEvent>> =>
    notification.kind === 'N'
      ? defer(() => addResource(notification.value)).pipe(materialize(), first())
      : of(notification);

  return (events$) => events$.pipe(materialize(), mergeInOrder(inOrder, concurrency), dematerialize());
}

function isAboutResource(event: FetchableEvent): boolean {
  return hasType(event, ['added', 'updated', 'started']);
}

function hasResource(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'resource' in event && event.resource !== undefined;
}

/**
 * Returns an operator like `mergeMap` that emits in the order of the source.
 *
 * @param project Returns an Observable of exactly one value that never errors.
 * @param concurrency The most of these that are subscribed to at a time.
 */
export function mergeInOrder<In, Out extends object>(
  project: (value: In) => Observable<Out>,
  concurrency: number,
): OperatorFunction<In, Out> {
  return (source) =>
    defer(() => {
      const early = new Map<number, Out>();
      let position = 0;
      return source.pipe(
        mergeMap((value, index) => project(value).pipe(map((result) => ({ index, result }))), concurrency),
        concatMap(({ index, result }) => {
          early.set(index, result);
          const ready: Out[] = [];
          for (let next = early.get(position); next !== undefined; next = early.get(++position)) {
            early.delete(position);
            ready.push(next);
          }
          return ready;
        }),
      );
    });
}
