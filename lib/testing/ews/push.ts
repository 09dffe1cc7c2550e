import {
  asyncScheduler,
  catchError,
  map,
  mergeMap,
  of,
  Subscription,
  timeout,
  timer,
  EMPTY,
  Observable,
  Subject,
} from 'rxjs';
import { readText, type Transport, headersFrom } from '../../core/transport/transport.ts';
import { withLatency } from '../faults.ts';
import { type EwsDialect, EwsErrorResponse, isGrommunio } from './dialect.ts';
import type { EventPage } from './eventPage.ts';
import type { RequestedCallback } from './requests/subscribe.ts';
import type { EwsResponses } from './responses/responses.ts';
import type { SubscriptionStore } from './subscriptions.ts';
import type { PushRequest } from '../../ews/push/pushRequest.ts';

/** A notification that a simulated server has posted for a push subscription. @inline */
export interface PostedNotification {
  /** The subscription of the notification. */
  readonly subscriptionId: string;
  /** The time it was sent, in milliseconds of the scheduler's clock. */
  readonly time: number;
  /** The number of events in it, without StatusEvents. */
  readonly events: number;
  /** The response: undefined while pending, `failed` if none or an invalid one arrived. */
  readonly response: 'OK' | 'Unsubscribe' | 'failed' | undefined;
}

/** The push subscriptions of a simulated server. */
export interface PushSubscriptions {
  readonly posts: readonly PostedNotification[];
  /** Throws if notifications cannot be posted to a callback. */
  check(callback: RequestedCallback | undefined): void;
  /** Starts to post for a subscription with a callback. */
  begin(id: string, callback: RequestedCallback | undefined): void;
  /** Posts new events to the subscriptions that watch them. */
  deliver(): void;
  /** Drops all subscriptions and their timers. */
  forget(): void;
}

interface PushSubscription {
  readonly id: string;
  readonly callback: RequestedCallback;
  isPosting: boolean;
  /** The page without a response; a repeated post has the same watermarks. */
  unanswered: EventPage | undefined;
  /** The time of the first of consecutive failures. */
  failingSince: number | undefined;
  failures: number;
  /** The timer of the next post; new events post earlier. */
  waiting: Subscription;
}

type Post = { -readonly [Key in keyof PostedNotification]: PostedNotification[Key] };

const NO_PUSH_SUBSCRIPTIONS: PushSubscriptions = {
  posts: [],
  check: () => undefined,
  begin: () => undefined,
  deliver: () => undefined,
  forget: () => undefined,
};
const FIRST_RETRY_MS = 30_000;
const RESPONSE_TIMEOUT_MS = 60_000;
const SUBSCRIPTION_STATUS = /<(?:[\w.-]+:)?SubscriptionStatus>\s*(OK|Unsubscribe)\s*</;

/**
 * Creates the push subscriptions of a server.
 *
 * A failed post is retried after 30 seconds, then with a doubled delay each time, until the status frequency
 * has passed. Then the subscription is dropped.
 *
 * @param takeError Returns the error to post in place of events, if any
 * @param transport Posts the notifications; without it, push subscriptions fail
 */
export function pushSubscriptions(
  store: SubscriptionStore,
  answers: EwsResponses,
  takeError: () => EwsErrorResponse | undefined,
  transport: Transport | undefined,
  { dialect, latencyMs }: { readonly dialect: EwsDialect; readonly latencyMs: number },
): PushSubscriptions {
  // grommunio accepts push subscriptions, but posts nothing.
  if (isGrommunio(dialect)) return NO_PUSH_SUBSCRIPTIONS;
  const send = transport === undefined ? undefined : withLatency(latencyMs)(transport);
  const pushes = new Set<PushSubscription>();
  const posts: Post[] = [];

  const drop = (push: PushSubscription): void => {
    pushes.delete(push);
    push.waiting.unsubscribe();
    store.expire(push.id);
  };

  const waitFor = (push: PushSubscription, ms: number): void => {
    push.waiting = timer(ms).subscribe(() => post(push));
  };

  const failed = (push: PushSubscription): void => {
    const now = asyncScheduler.now();
    push.failingSince ??= now;
    const elapsedMs = FIRST_RETRY_MS * 2 ** push.failures;
    push.failures += 1;
    if (elapsedMs > push.callback.statusFrequencyMinutes * 60_000) drop(push);
    else waitFor(push, Math.max(0, push.failingSince + elapsedMs - now));
  };

  const succeeded = (push: PushSubscription): void => {
    push.failingSince = undefined;
    push.failures = 0;
    if (hasEvents(push)) post(push);
    else waitFor(push, push.callback.statusFrequencyMinutes * 60_000);
  };

  const hasEvents = ({ id }: PushSubscription): boolean => (store.nextPost(id)?.page.events.length ?? 0) > 0;

  const post = (push: PushSubscription): void => {
    const { id, callback } = push;
    const next = store.nextPost(id, push.unanswered);
    if (send === undefined || next === undefined) {
      drop(push);
      return;
    }
    const error = takeError();
    const one: Post = {
      subscriptionId: id,
      time: asyncScheduler.now(),
      events: error === undefined ? next.page.events.length : 0,
      response: undefined,
    };
    posts.push(one);
    push.waiting.unsubscribe();
    push.isPosting = true;
    const settle = (answer: Post['response']): void => {
      one.response = answer;
      if (!pushes.has(push)) return;
      push.isPosting = false;
      if (error === undefined) push.unanswered = answer === 'failed' ? next.page : undefined;
      if (answer === 'Unsubscribe') drop(push);
      else if (answer === 'OK') {
        if (error === undefined) next.acknowledge();
        succeeded(push);
      } else failed(push);
    };
    send({
      method: 'POST',
      url: callback.url,
      headers: { 'content-type': 'text/xml; charset=utf-8' },
      body:
        error === undefined
          ? answers.posted(next.page)
          : answers.error('SendNotification', withSubscriptionId(id, error)),
    })
      .pipe(
        mergeMap((response) =>
          readText(response, 'answer').pipe(map((text) => (response.status === 200 ? text : ''))),
        ),
        timeout(RESPONSE_TIMEOUT_MS),
        map((text) => (SUBSCRIPTION_STATUS.exec(text)?.[1] ?? 'failed') as NonNullable<Post['response']>),
        catchError(() => of('failed' as const)),
      )
      .subscribe(settle);
  };

  return {
    posts,
    check: (callback) => {
      if (callback === undefined || (send !== undefined && /^https?:\/\//.test(callback.url))) return;
      throw new EwsErrorResponse(
        'error',
        'ErrorInvalidPushSubscriptionUrl',
        'The push subscription URL is invalid.',
      );
    },
    begin: (id, callback) => {
      if (callback === undefined) return;
      const push: PushSubscription = {
        id,
        callback,
        isPosting: false,
        unanswered: undefined,
        failingSince: undefined,
        failures: 0,
        waiting: new Subscription(),
      };
      pushes.add(push);
      post(push);
    },
    deliver: () => {
      for (const push of [...pushes]) {
        if (!push.isPosting && push.failures === 0 && hasEvents(push)) post(push);
      }
    },
    forget: () => {
      for (const { waiting } of pushes) waiting.unsubscribe();
      pushes.clear();
    },
  };
}

function withSubscriptionId(id: string, { code, message, values }: EwsErrorResponse): EwsErrorResponse {
  return new EwsErrorResponse('error', code, message, { ...values, SubscriptionId: id });
}

/** A callback for push notifications, without a network. */
export interface PushCallback {
  /** The transport for the option `push` of {@link ewsSimulator}. */
  readonly transport: Transport;
  /** The posted notifications, for `pushNotifications`. */
  readonly incoming$: Observable<PushRequest>;
}

/**
 * Creates a callback for the push notifications of a simulated server.
 *
 * It receives them whatever the callback URL is.
 *
 * It replaces a `pushListener` in virtual time.
 *
 * @example
 * ```ts
 * import { connectExchange, pushNotifications } from 'rxchange/ews';
 * import { ewsSimulator, pushCallback } from 'rxchange/testing';
 *
 * const { transport, incoming$ } = pushCallback();
 * const server = ewsSimulator({ push: transport });
 * const exchange = connectExchange({ server: server.url, transport: server.transport });
 * const options = { allFolders: true, events: ['created'], callbackUrl: 'https://any.example/' } as const;
 * const watching = pushNotifications(exchange, options, incoming$).subscribe();
 * server.createItem('drafts');
 * watching.unsubscribe();
 * server.createItem('drafts');
 * console.log(server.posts.map(({ response }) => response).join(', '));
 * // prints: OK, OK, Unsubscribe
 * ```
 */
export function pushCallback(): PushCallback {
  const incoming = new Subject<PushRequest>();
  return {
    incoming$: incoming.asObservable(),
    transport: ({ url, body = '' }) =>
      new Observable((subscriber) => {
        if (!incoming.observed) {
          subscriber.next({ status: 503, url, headers: headersFrom({}), body$: EMPTY });
          subscriber.complete();
          return;
        }
        incoming.next({
          url: () => url,
          body$: of(new TextEncoder().encode(body)),
          respond: ({ status, headers, body: answer }) => {
            const body$ = of(new TextEncoder().encode(answer));
            subscriber.next({ status, url, headers: headersFrom(headers), body$ });
            subscriber.complete();
          },
        });
      }),
  };
}
