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
import { choiceOption, numberOption, objectOption } from '../../core/options.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../core/transport/transport.ts';
import { type Fault, faultQueue } from '../faults.ts';
import { type LoggedRequest, requestLog } from '../requestLog.ts';
import { EwsErrorResponse } from './dialect.ts';
import { type SimulatedMailbox, ewsMailboxes } from './mailbox.ts';
import { type EwsSimulatorOptions, resolveEwsOptions } from './options.ts';
import { pushSubscriptions, type PostedNotification } from './push.ts';
import { summarize, type RequestSummary } from './requests/readRequest.ts';
import { ewsResponses } from './responses/responses.ts';
import { ewsServer } from './server.ts';
import { ewsStreams, type OpenEwsStream, type StreamEnd } from './streaming/streaming.ts';
import { type SimulatedEwsSubscription, subscriptionStore } from './subscriptions.ts';

/** An operation by the name of its element; the server itself sends `SendNotification`. @inline */
export type EwsOperation =
  | 'ConvertId'
  | 'GetEvents'
  | 'GetFolder'
  | 'GetStreamingEvents'
  | 'SendNotification'
  | 'Subscribe'
  | 'Unsubscribe';

/**
 * The failure of a request: a fault of the connection or of HTTP, or an error of EWS.
 *
 * `error` is the code of a response message of class Error, `fault` that of a SOAP fault. `values` are the
 * contents of MessageXml, such as `{ BackOffMilliseconds: '5000' }`.
 *
 * @inline
 */
export type EwsFailure =
  | Fault
  | { readonly error: string; readonly values?: Readonly<Record<string, string>> }
  | { readonly fault: string; readonly values?: Readonly<Record<string, string>> };

/** A request that the simulated EWS server received. @inline */
export interface LoggedEwsRequest extends LoggedRequest, RequestSummary {}

/** A simulated EWS server, with methods that inspect and control it and the mailbox of its account. */
export interface EwsSimulator extends SimulatedMailbox {
  /** The transport to the server, without a network; `serve` makes it available over HTTP. */
  readonly transport: Transport;
  /** The URL for `connectExchange`. Any host is accepted, but only this path. */
  readonly url: string;
  /** The current subscriptions. */
  readonly subscriptions: readonly SimulatedEwsSubscription[];
  /** The requests received, in order. */
  readonly requests: readonly LoggedEwsRequest[];
  /** The streams that are open now. */
  readonly streams: readonly OpenEwsStream[];
  /** The notifications posted for push subscriptions, in order. */
  readonly posts: readonly PostedNotification[];
  /**
   * Lets the next `count` requests fail, or the next `count` requests of one operation.
   *
   * An `error` for `SendNotification` is posted in place of events.
   */
  failNext(count: number, failure: EwsFailure, operation?: EwsOperation): void;
  /** Removes the failures that have not happened yet. */
  clearFailures(): void;
  /** Expires a subscription without a notification. @default subscriptionId all subscriptions */
  expire(subscriptionId?: string): void;
  /** Drops all subscriptions and breaks all open connections; the mailboxes stay. */
  restart(): void;
  /** Ends all streams; their subscriptions stay. @default how 'closed' */
  closeStreams(how?: StreamEnd): void;
  /** Stalls the open streams: nothing arrives on them again, not even their end. */
  stallStreams(): void;
  /** Makes the next envelope of a stream malformed XML. */
  corruptNextEnvelope(): void;
  /** Invalidates every watermark issued so far. */
  forgetHistory(): void;
  /**
   * Returns the mailbox of an address, in upper or lower case.
   *
   * Clients watch it if they impersonate the address or name it with a folder. Until the first call they
   * watch the mailbox of the account; then the address has its own mailbox, with the history that they have
   * seen.
   */
  mailbox(address: string): SimulatedMailbox;
  /**
   * Moves the mailbox of an address, which takes `minutes`.
   *
   * Meanwhile requests for it fail with ErrorMailboxMoveInProgress. When the move ends, its subscriptions are
   * gone.
   */
  moveMailbox(address: string, minutes: number): void;
  /** Changes the bearer token that requests must have. */
  setToken(token: string): void;
}

const SIMULATED_URL = 'https://exchange.example/EWS/Exchange.asmx';

/**
 * Creates a simulated Exchange server, for tests of applications that use `rxchange/ews`.
 *
 * It has mailboxes, the operations GetFolder, Subscribe, GetEvents, GetStreamingEvents and Unsubscribe as
 * documented, and validates requests against the schema. It runs on RxJS time, and therefore in virtual time
 * inside `TestScheduler.run`.
 *
 * @throws TypeError that names an invalid option
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
  const { dialect, authorization, latencyMs, limits, streams: streaming, push } = resolveEwsOptions(options);
  const mailboxes = ewsMailboxes(({ changes$ }) => {
    changes$.subscribe(() => streams.deliver());
    changes$.subscribe(() => pushes.deliver());
  });
  const store = subscriptionStore(mailboxes, dialect, limits);
  const responses = ewsResponses(dialect);
  const streams = ewsStreams(store, responses, { ...streaming, dialect, latencyMs });
  const pushes = pushSubscriptions(store, responses, () => server.takePostError(), push, {
    dialect,
    latencyMs,
  });
  const server = ewsServer(mailboxes, store, streams, pushes, responses, dialect, authorization);
  const faults = faultQueue();
  const log = requestLog();
  const restarts$ = new Subject<void>();

  // Aborting a request that was sent does not stop the server from acting on it.
  const transport: Transport = (request) =>
    defer(() => {
      const response$ = new ReplaySubject<HttpResponse>(1);
      const broken$ = restarts$.pipe(mergeMap(() => throwError(() => connectionReset(request))));
      const served$ = travel(latencyMs / 2).pipe(
        map(() => server.respond(request)),
        mergeMap((response) => travel(latencyMs / 2).pipe(map(() => response))),
      );
      merge(broken$, served$).pipe(take(1)).subscribe(response$);
      return response$;
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
        // A text search first, because parsing every request is expensive.
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

function errorOf(failure: Exclude<EwsFailure, Fault>): EwsErrorResponse {
  objectOption('failure', failure, { error: 1, fault: 1, values: 1 });
  return 'error' in failure
    ? new EwsErrorResponse('error', failure.error, 'The request was refused.', failure.values)
    : new EwsErrorResponse('fault', failure.fault, 'The request was refused.', failure.values);
}

function connectionReset(request: HttpRequest): NetworkError {
  return new NetworkError('no response', request, { code: 'ECONNRESET' });
}

function travel(ms: number): Observable<unknown> {
  return ms === 0 ? of(0) : timer(ms);
}
