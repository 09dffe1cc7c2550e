import {
  defer,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  Subject,
  take,
  throwError,
  timer,
} from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import { choiceOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../core/transport/transport.ts';
import { ewsResponses } from './responses/responses.ts';
import { type EwsDialect, EwsErrorResponse } from './dialect.ts';
import type { SimulatedMailbox } from './mailbox.ts';
import { ewsMailboxes } from './mailboxes.ts';
import { pushSubscriptions, type PostedNotification } from './push.ts';
import { summarize, type RequestSummary } from './requests/readRequest.ts';
import { ewsServer } from './server.ts';
import { ewsStreams, type OpenEwsStream, type StreamEnd } from './streaming/streaming.ts';
import { type SimulatedEwsSubscription, subscriptionStore } from './subscriptions.ts';
import { type Fault, faultQueue } from '../faults.ts';
import { type LoggedRequest, requestLog } from '../requestLog.ts';

/** What kind of server to simulate. */
export interface EwsSimulatorOptions {
  /**
   * The server to simulate: `exchange`, `grommunio` (version 3.10) or `grommunio-3.9` (3.9 and earlier).
   * grommunio has no watermarks and posts nothing for push subscriptions, its short ids start again after a
   * restart, and its faults have status 200.
   * @default 'exchange'
   */
  readonly dialect?: EwsDialect;
  /** The bearer token that requests must have. @default any request is let in */
  readonly token?: string;
  /** The user that requests must be signed as. @default any request is let in */
  readonly basic?: { readonly username: string; readonly password: string };
  /** How long a request and its answer travel together, in milliseconds. @default 0: answers synchronously */
  readonly latencyMs?: number;
  /** How many subscriptions there may be at a time. @default 5000 */
  readonly maxSubscriptions?: number;
  /** How often a stream gives a sign of life, in seconds. @default 45 */
  readonly heartbeatSeconds?: number;
  /**
   * How many events may wait for a subscription of grommunio; with more it loses them all, and is answered
   * ErrorInvalidSubscription until it is removed. grommunio calls it `ews_max_pending_events`. @default 4000
   */
  readonly maxPendingEvents?: number;
  /**
   * How often grommunio looks whether a stream has something to send, in seconds; it calls it
   * `ews_cache_interval`, and has 5. A stream waits for the next look if an event has come in the last 0.1
   * seconds, so that it sends nothing, not even heartbeats, while very many come.
   * @default 0: sends at once
   */
  readonly cacheIntervalSeconds?: number;
  /** How large the pieces are at most that streams come in, in bytes. @default an envelope each */
  readonly chunkBytes?: number;
  /** How many streams may be open at a time. @default 100 */
  readonly maxStreams?: number;
  /**
   * What notifications are posted through: that of a `pushCallback`, or `fetchTransport()` over a network.
   * @default push subscriptions are refused
   */
  readonly push?: Transport;
}

const NAMES: OptionNames<EwsSimulatorOptions> = {
  dialect: 1,
  token: 1,
  basic: 1,
  latencyMs: 1,
  maxSubscriptions: 1,
  heartbeatSeconds: 1,
  maxPendingEvents: 1,
  cacheIntervalSeconds: 1,
  chunkBytes: 1,
  maxStreams: 1,
  push: 1,
};

/** An operation, by the name of its element; `SendNotification` is the server's own. */
export type EwsOperation =
  | 'ConvertId'
  | 'GetEvents'
  | 'GetFolder'
  | 'GetStreamingEvents'
  | 'SendNotification'
  | 'Subscribe'
  | 'Unsubscribe';

/**
 * What goes wrong with a request: what can go wrong with any, or the server's own refusal, as a response of
 * class Error or as a SOAP fault. `values` stand in MessageXml, such as `{ BackOffMilliseconds: '5000' }`.
 */
export type EwsFailure =
  | Fault
  | { readonly error: string; readonly values?: Readonly<Record<string, string>> }
  | { readonly fault: string; readonly values?: Readonly<Record<string, string>> };

/** One request that the simulator was sent. */
export interface LoggedEwsRequest extends LoggedRequest, RequestSummary {}

/** A simulated server: ask what it holds and was sent, and drive it and the mailbox of the account. */
export interface EwsSimulator extends SimulatedMailbox {
  /** The way to it, without a network; hand it to `exchange`, or to `serve` for one over HTTP. */
  readonly transport: Transport;
  /** A URL for `exchange`; any host does, the path must be this one's. */
  readonly url: string;
  /** The subscriptions that it holds now. */
  readonly subscriptions: readonly SimulatedEwsSubscription[];
  /** What it was sent, in order. */
  readonly requests: readonly LoggedEwsRequest[];
  /** The streams that it has open now. */
  readonly streams: readonly OpenEwsStream[];
  /** What it has posted for push subscriptions, in order. */
  readonly posts: readonly PostedNotification[];
  /**
   * Lets the next `count` requests fail, if given only those of one operation. With an `error` for
   * `SendNotification`, that is posted in the place of events.
   */
  failNext(count: number, failure: EwsFailure, operation?: EwsOperation): void;
  /** Forgets the failures that have not happened yet. */
  clearFailures(): void;
  /** Ends a subscription before its time, without telling; without an id, all. */
  expire(subscriptionId?: string): void;
  /** Forgets all subscriptions and breaks what is under way; the mailbox stays. */
  restart(): void;
  /** Ends all streams; their subscriptions stay. @default how 'closed' */
  closeStreams(how?: StreamEnd): void;
  /** Lets the streams that are open now die without a word: nothing comes on them any more, not even an end. */
  stallStreams(): void;
  /** Makes the next envelope of a stream one that is not well-formed. */
  corruptNextEnvelope(): void;
  /** Makes every watermark that it has given out invalid. */
  forgetHistory(): void;
  /**
   * The mailbox of an address, in upper or lower case: the one that clients watch who impersonate it or name it
   * with a folder, before or after this call. Until this call, they see the mailbox of the account; from then on
   * it is a mailbox of its own, with all that they have seen.
   */
  mailbox(address: string): SimulatedMailbox;
  /**
   * Moves the mailbox of an address, which takes so many minutes: it cannot be watched, and what is held of it
   * is gone then.
   */
  moveMailbox(address: string, minutes: number): void;
  /** Changes the bearer token that requests must have. */
  setToken(token: string): void;
}

const SIMULATED_URL = 'https://exchange.example/EWS/Exchange.asmx';

/**
 * Creates a simulated Exchange server for the tests of applications that use `rxchange/ews`: with
 * mailboxes, GetFolder, Subscribe, GetEvents, GetStreamingEvents and Unsubscribe as documented, and requests read by the schema.
 *
 * It runs on RxJS time, so it and the library run in `TestScheduler.run` together; `serve` puts it on a port.
 * It throws a TypeError that names the option for one that cannot be used.
 *
 * @example
 * ```ts
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const server = ewsSimulator();
 * const exchange = connectExchange({ server: server.url, transport: server.transport });
 * const watching = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
 * console.log(server.subscriptions.length);
 * // prints: 1
 * watching.unsubscribe();
 * console.log(server.requests.map(({ operation, status }) => `${operation} ${status}`).join(', '));
 * // prints: Subscribe 200, GetEvents 200, Unsubscribe 200
 * console.log(server.subscriptions.length);
 * // prints: 0
 * ```
 */
export function ewsSimulator(options: EwsSimulatorOptions = {}): EwsSimulator {
  const {
    latencyMs = 0,
    maxSubscriptions = 5000,
    heartbeatSeconds = 45,
    maxStreams = 100,
  } = objectOption('options', options, NAMES);
  const { chunkBytes = Number.MAX_SAFE_INTEGER, maxPendingEvents = 4000, cacheIntervalSeconds = 0 } = options;
  const dialect = choiceOption<EwsDialect>('dialect', options.dialect ?? 'exchange', [
    'exchange',
    'grommunio',
    'grommunio-3.9',
  ]);
  numberOption('latencyMs', latencyMs, { min: 0 });
  numberOption('maxSubscriptions', maxSubscriptions, { min: 0, integer: true });
  numberOption('heartbeatSeconds', heartbeatSeconds, { min: 0.01 });
  numberOption('maxPendingEvents', maxPendingEvents, { min: 0, integer: true });
  numberOption('cacheIntervalSeconds', cacheIntervalSeconds, { min: 0 });
  numberOption('chunkBytes', chunkBytes, { min: 1, integer: true });
  numberOption('maxStreams', maxStreams, { min: 0, integer: true });
  const mailboxes = ewsMailboxes(({ changes$ }) => {
    changes$.subscribe(() => streams.deliver());
    changes$.subscribe(() => pushes.deliver());
  });
  const store = subscriptionStore(mailboxes, dialect, { maxSubscriptions, maxPendingEvents });
  const responses = ewsResponses(dialect);
  const behaviour = {
    ...{ dialect, chunkBytes, latencyMs, maxStreams },
    heartbeatMs: heartbeatSeconds * 1000,
    cacheIntervalMs: cacheIntervalSeconds * 1000,
  };
  const streams = ewsStreams(store, responses, behaviour);
  const pushes = pushSubscriptions(store, responses, () => server.takePostError(), options.push, behaviour);
  const server = ewsServer(mailboxes, store, streams, pushes, responses, dialect, authorizationOf(options));
  const faults = faultQueue();
  const log = requestLog();
  const restarts$ = new Subject<void>();

  // A request that has left is acted on even if its sender has gone: aborting takes nothing back.
  const transport: Transport = (request) =>
    defer(() => {
      const answer = new ReplaySubject<HttpResponse>(1);
      const broken$ = restarts$.pipe(mergeMap(() => throwError(() => connectionReset(request))));
      const served$ = travel(latencyMs / 2).pipe(
        map(() => server.respond(request)),
        mergeMap((response) => travel(latencyMs / 2).pipe(map(() => response))),
      );
      merge(broken$, served$).pipe(take(1)).subscribe(answer);
      return answer;
    });

  return {
    ...mailboxes.own.driver,
    transport: log.middleware(faults.middleware(transport)),
    url: SIMULATED_URL,
    get subscriptions() {
      return store.all;
    },
    get streams() {
      return streams.open;
    },
    get posts() {
      return pushes.posts;
    },
    get requests() {
      return log.requests.map((request) => ({ ...request, ...summarize(request.body ?? '') }));
    },
    failNext: (count, failure, operation) => {
      if (typeof failure === 'object' && ('error' in failure || 'fault' in failure)) {
        numberOption('count', count, { min: 1, integer: true });
        server.failNext(count, errorOf(failure), operation);
        return;
      }
      faults.failNext(
        count,
        failure,
        // The name is searched for first: parsing every request is expensive.
        ({ body = '' }) =>
          operation === undefined || (body.includes(operation) && summarize(body).operation === operation),
      );
    },
    clearFailures: () => {
      faults.clear();
      server.clearFailures();
    },
    expire: (subscriptionId) => store.expire(subscriptionId),
    restart: () => {
      store.restart();
      pushes.forget();
      restarts$.next();
      streams.endAll('reset');
    },
    closeStreams: (how = 'closed') => {
      streams.endAll(choiceOption('how', how, ['closed', 'end', 'linger', 'reset']));
    },
    stallStreams: () => streams.stallAll(),
    corruptNextEnvelope: () => streams.corruptNext(),
    forgetHistory: () => store.forgetHistory(),
    mailbox: (address) => mailboxes.named(address).driver,
    moveMailbox: (address, minutes) => {
      numberOption('minutes', minutes, { min: 0 });
      store.beginMove(address);
      streams.reportFailed();
      timer(minutes * 60_000).subscribe(() => store.endMove(address));
    },
    setToken: (token) => server.setAuthorization(`Bearer ${token}`),
  };
}

function authorizationOf({ token, basic }: EwsSimulatorOptions): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  if (basic === undefined) return undefined;
  objectOption('basic', basic, { username: 1, password: 1 });
  const bytes = new TextEncoder().encode(`${basic.username}:${basic.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function errorOf(failure: Exclude<EwsFailure, Fault>): EwsErrorResponse {
  objectOption('failure', failure, { error: 1, fault: 1, values: 1 });
  return 'error' in failure
    ? new EwsErrorResponse('error', failure.error, 'The request was refused.', failure.values)
    : new EwsErrorResponse('fault', failure.fault, 'The request was refused.', failure.values);
}

function connectionReset(request: HttpRequest): NetworkError {
  return new NetworkError('no answer', request, { code: 'ECONNRESET' });
}

function travel(ms: number): Observable<unknown> {
  return ms === 0 ? of(0) : timer(ms);
}
