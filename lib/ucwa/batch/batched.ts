import { asapScheduler, asyncScheduler, defer, type SchedulerLike } from 'rxjs';
import { type BackoffPolicy, checkBackoffPolicy } from '../../core/backoff/backoff.ts';
import { feature, type Feature } from '../../core/feature.ts';
import { checkLimits, type Limits } from '../../core/limits.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { HttpRequest, Middleware } from '../../core/transport/transport.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { mayTravelTogether } from './decision.ts';
import { type BatchConnection, batchQueue } from './queue.ts';

/** Options of {@link batching}. @inline */
export interface BatchingOptions {
  /** The most requests in a batch, up to `maxOutstanding`. @default 20 */
  readonly maxParts?: number;
  /** The most requests without a response; the server allows this many for a user. @default 100 */
  readonly maxOutstanding?: number;
  /**
   * The scheduler that ends a turn: requests are sent when it runs work that is scheduled without a delay.
   * @default asapScheduler in a page, because a page that is being left runs no timers; asyncScheduler
   * elsewhere
   */
  readonly scheduler?: SchedulerLike;
}

/** Options of {@link batched}. */
export interface BatchOptions extends BatchingOptions {
  /**
   * Returns the application's `batch` link, absolute. It is called for each request. Without a link, requests
   * are sent alone and at once.
   */
  readonly url: () => string | undefined;
  /** Selects further requests that are sent alone. @default none */
  readonly alone?: (request: HttpRequest) => boolean;
  /**
   * Selects requests that are sent at once if no other is queued or outstanding. The rest of the same turn
   * then shares a batch.
   * @default none
   */
  readonly atOnce?: (request: HttpRequest) => boolean;
  /** The waits after a response that there were too many requests. */
  readonly backoff?: BackoffPolicy;
  /**
   * Only `responseBytes` and `parts` apply, to the response to a batch.
   * @default 32 MiB and 1000 parts
   */
  readonly limits?: Limits;
}

const NAMES: OptionNames<BatchOptions> = {
  url: 1,
  maxParts: 1,
  maxOutstanding: 1,
  alone: 1,
  atOnce: 1,
  backoff: 1,
  limits: 1,
  scheduler: 1,
};

/**
 * Returns a Transport that sends requests of one turn as parts of a `multipart/batching` request.
 *
 * - A single request is sent as it is. The event channel, photos, batches and the application itself are
 *   never parts.
 * - Each request gets the response or the failure of its own part. A part that cannot be read is a
 *   `DecodeError` of that request; a broken connection is a `NetworkError` of each.
 * - 401, 403, 410, a 404 that says that the application is gone, and errors of the server are the response of
 *   every part. After 429, 413 and 503 nothing was done: the parts wait, with backoff and `Retry-After`, and
 *   are sent again in batches of half the size. After any other refusal of the batch they are sent alone.
 * - A batch has one authorization.
 * - Unsubscribing takes a request out of the queue. If it was sent, its response is ignored. The batch is
 *   aborted when nobody waits for any of its parts, unless one may have created something.
 *
 * Put it below middleware that signs, retries or reads responses, because those work on single parts, and
 * above middleware that restricts origins or reports progress.
 *
 * @throws TypeError that names the option that cannot be used.
 * @see [MS-UCWA] BatchingRequests, GroupingRequestsInABatch
 */
export function batched(options: BatchOptions): Middleware {
  checkBackoffPolicy(objectOption('options', options, NAMES).backoff ?? {});
  return batches(options);
}

/** Creates the middleware from options with known names, also as a part of a connection. */
function batches(options: BatchOptions, connection?: BatchConnection): Middleware {
  const { url, alone = none, atOnce = none, backoff = {} } = options;
  if (typeof url !== 'function') throw invalidOption('url', url, 'a function that returns the batch link');
  if (typeof alone !== 'function') throw invalidOption('alone', alone, 'a function of a request');
  if (typeof atOnce !== 'function') throw invalidOption('atOnce', atOnce, 'a function of a request');
  const { maxParts, maxOutstanding } = checkSizes(options);
  const limits = checkLimits(options.limits);
  const { scheduler = 'document' in globalThis ? asapScheduler : asyncScheduler } = options;

  return (transport) => {
    const queue = batchQueue(
      transport,
      { maxParts, maxOutstanding, backoff, ...limits },
      scheduler,
      connection,
    );
    return (request) =>
      defer(() => {
        const link = url();
        const travels = link !== undefined && mayTravelTogether(request, link) && !alone(request);
        return travels ? queue.send(request, link, atOnce(request)) : transport(request);
      });
  };
}

function checkSizes(options: BatchingOptions): Batching {
  const { maxOutstanding = 100 } = options;
  numberOption('maxOutstanding', maxOutstanding, { min: 1, integer: true });
  const { maxParts = Math.min(20, maxOutstanding) } = options;
  numberOption('maxParts', maxParts, { min: 1, max: maxOutstanding, integer: true });
  return { maxParts, maxOutstanding };
}

function none(): boolean {
  return false;
}

/** The option `batch` of a connection: see {@link batching}. */
export interface Batching {
  /** The most requests in a batch. */
  readonly maxParts: number;
  /** The most requests without a response. */
  readonly maxOutstanding: number;
}

/** Sends the requests of a connection in batches. */
export type Batch = (
  application: () => LiveApplication | undefined,
  limits: Limits,
  connection: BatchConnection,
) => Middleware;

/** The feature of {@link batching}. */
export const BATCHING: Feature<Batch> = /* @__PURE__ */ feature("batching() from 'rxchange/ucwa'");

/**
 * Returns the option `batch` of a connection: simultaneous requests share a batch.
 *
 * Requests are sent one by one if the application has no `batch` link. A single request is sent at once.
 * Removals wait for other requests of the same turn of the event loop.
 *
 * @throws TypeError that names the option that cannot be used.
 * @see [MS-UCWA] BatchingRequests
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { batching, connectUcwa, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const { url, transport } = ucwaSimulator();
 * const ucwa = connectUcwa({ server: url, auth: bearer('secret'), transport, batch: batching() });
 * for (const uri of ['sip:sara@contoso.com', 'sip:john@contoso.com']) presence(ucwa, { uris: [uri] }).subscribe();
 * ucwa.activity$.subscribe(({ method, path }) => console.log(method, path.split('/').at(-1)));
 * await ucwa.close();
 * // prints: POST batch
 * // prints: DELETE 101
 * ```
 */
export function batching(options: BatchingOptions = {}): Batching {
  const { maxParts, maxOutstanding } = checkSizes(
    objectOption('options', options, { maxParts: 1, maxOutstanding: 1, scheduler: 1 }),
  );
  return BATCHING.create({ maxParts, maxOutstanding }, (application, limits, connection) =>
    batches(
      {
        ...options,
        limits,
        // The backoff of the connection holds refused requests back.
        backoff: { maxMs: 0 },
        url: () => {
          const live = application();
          return live?.isEnded === true ? undefined : live?.batch;
        },
        alone: ({ url }) => !isOn(application(), url),
        atOnce: ({ keepalive }) => keepalive !== true,
      },
      connection,
    ),
  );
}

function isOn(live: LiveApplication | undefined, url: string): boolean {
  return live !== undefined && new URL(url).pathname.startsWith(`${new URL(live.self).pathname}/`);
}
