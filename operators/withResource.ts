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
} from 'rxjs';
import { LONGEST_TIMER_MS } from '../lib/core/backoff/backoff.ts';
import { invalidOption, numberOption, objectOption, urlOption } from '../lib/core/options.ts';
import type { Transport } from '../lib/core/transport/transport.ts';
import { type FetchableEvent, hasType, stringAt } from './internal/event.ts';
import { fetchJson } from './internal/fetchJson.ts';
import { mergeInOrder } from './internal/mergeInOrder.ts';

/** Where resources come from that an event does not bring along: a server that answers in JSON. */
export interface ResourceServer<Resource> {
  /** Sends the requests; the token, if one is needed, is its part. */
  readonly transport: Transport;
  /**
   * What relative hrefs are relative to, such as the URL of the application. A link that leads to another
   * origin is not followed: that is the event's `error`.
   */
  readonly url: string;
  /** Makes the resource of what was in the event, or in the answer. What it throws is the event's `error`. */
  readonly decode: (value: unknown) => Resource;
}

/** Options of {@link withResource}: how many resources are fetched, how long, and of which events. */
export interface WithResourceOptions<Event> {
  /** How many are fetched at a time. @default 4 */
  readonly concurrency?: number;
  /**
   * How long fetching one may take, in milliseconds; then the event's `error` is a TimeoutError.
   *
   * @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * Whether the resource of an event is fetched, if it did not come along.
   *
   * @default of `added`, `updated` and `started`: for others the link need not lead to a resource (any more)
   */
  readonly fetches?: (event: Event) => boolean;
}

/** The type of the resource that `Event` may bring along. */
export type EmbeddedIn<Event extends FetchableEvent> = Event extends unknown
  ? 'resource' extends keyof Event
    ? NonNullable<Event['resource']>
    : never
  : never;

/**
 * `Event` with its resource; or without, because it was not asked for, or, where `error` is there, because that
 * failed.
 */
export type WithResource<Event, Resource> = Event extends unknown
  ? Omit<Event, 'resource' | 'error'> &
      (
        | { readonly resource: Resource; readonly error?: undefined }
        | { readonly resource?: undefined; readonly error?: unknown }
      )
  : never;

/**
 * Returns an Observable that emits every event of the source with the resource that it is about: the one that
 * came along, or else fetched by its link.
 *
 * The order stays as it is, although several are fetched at a time: an event waits for those before it. That a
 * resource could not be fetched is told by the event itself, which has an `error` and no `resource` then, and
 * ends nothing. The end of the source comes in its place too, behind all its events: that it completed, and
 * that it failed. Unsubscribing aborts what is being fetched.
 *
 * What is fetched is the resource as it is by then, which may be newer than the event. Events are never
 * dropped: if they come faster than resources can be fetched, they wait here.
 *
 * ```
 * source:             --updated A----------updated B {B}--deleted A--|
 *                        GET A ······ 200
 * withResource(get)   ----------------(updated A {A}, updated B {B})--deleted A--|
 * ```
 *
 * @param get Fetches the resource at an href; the first value counts. Or the server that has the resources.
 * What `get` throws is the event's `error`.
 * @returns An operator. It throws a TypeError that names the option if one cannot be used. What `fetches`
 * throws is the error of the result.
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
 *
 * @example
 * ```ts
 * import * as t from 'io-ts';
 * import { of } from 'rxjs';
 * import { decode, headersFrom, type Transport } from 'rxchange';
 * import { ofRel, withResource } from 'rxchange/operators';
 *
 * const transport: Transport = ({ url }) =>
 *   of({
 *     status: 200,
 *     url,
 *     headers: headersFrom({ 'content-type': 'application/json' }),
 *     body$: of(new TextEncoder().encode('{"availability":"Away"}')),
 *   });
 * const presence = decode(t.type({ availability: t.string }), 'contactPresence');
 *
 * of({ type: 'updated', link: { rel: 'contactPresence', href: '/people/1/presence' } })
 *   .pipe(
 *     ofRel('contactPresence'),
 *     withResource({ transport, url: 'https://pool.contoso.com/ucwa', decode: presence }),
 *   )
 *   .subscribe(({ resource }) => console.log(resource?.availability));
 * // prints: Away
 * ```
 */
export function withResource<Event extends FetchableEvent, Resource>(
  get: (href: string) => ObservableInput<Resource>,
  options?: WithResourceOptions<Event>,
): OperatorFunction<Event, WithResource<Event, Resource | EmbeddedIn<Event>>>;
export function withResource<Event extends FetchableEvent, Resource>(
  server: ResourceServer<Resource>,
  options?: WithResourceOptions<Event>,
): OperatorFunction<Event, WithResource<Event, Resource>>;
export function withResource(
  source: ((href: string) => ObservableInput<unknown>) | ResourceServer<unknown>,
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
  const { get, decode } = readerOf(source);

  const withIts = (event: FetchableEvent): Observable<FetchableEvent> => {
    const embedded = embeddedIn(event);
    const href = stringAt(event, 'link', 'href');
    const resource$ =
      embedded !== undefined
        ? of(embedded)
        : href !== undefined && fetches(event)
          ? defer(() => from(get(href))).pipe(timeout({ first: timeoutMs }), first())
          : undefined;
    if (resource$ === undefined) return of(event);
    return resource$.pipe(
      map((resource) => ({ ...event, resource: decode(resource) })),
      catchError((error: unknown) => {
        const told: FetchableEvent & { error: unknown } = { ...event, error };
        // What came along and could not be decoded is not a resource.
        delete (told as { resource?: unknown }).resource;
        return of(told);
      }),
    );
  };
  const inItsPlace = (
    notification: ObservableNotification<FetchableEvent>,
  ): Observable<ObservableNotification<FetchableEvent>> =>
    notification.kind === 'N'
      ? defer(() => withIts(notification.value)).pipe(materialize(), first())
      : of(notification);

  return (events$) => events$.pipe(materialize(), mergeInOrder(inItsPlace, concurrency), dematerialize());
}

interface Reader {
  readonly get: (href: string) => ObservableInput<unknown>;
  readonly decode: (value: unknown) => unknown;
}

function readerOf(source: ((href: string) => ObservableInput<unknown>) | ResourceServer<unknown>): Reader {
  if (typeof source === 'function') return { get: source, decode: (value) => value };
  if (typeof source !== 'object' || (source as unknown) === null) {
    throw invalidOption(
      'withResource(get)',
      source,
      'a function, or a server with transport, url and decode',
    );
  }
  const { transport, url, decode } = source;
  if (typeof transport !== 'function') {
    throw invalidOption('withResource.transport', transport, 'a function');
  }
  if (typeof decode !== 'function') throw invalidOption('withResource.decode', decode, 'a function');
  return { get: fetchJson(transport, urlOption('withResource.url', url)), decode };
}

function isAboutResource(event: FetchableEvent): boolean {
  return hasType(event, ['added', 'updated', 'started']);
}

/** What came along; nothing of what is no event. */
function embeddedIn(event: unknown): unknown {
  return typeof event === 'object' && event !== null && 'resource' in event ? event.resource : undefined;
}
