import { asyncScheduler, catchError, map, mergeMap, of, Subscription, timeout, timer } from 'rxjs';
import { readText, type Transport } from '../../core/transport/transport.ts';
import { withLatency } from '../latency.ts';
import { type EwsDialect, EwsErrorResponse, isGrommunio } from './dialect.ts';
import type { EventPage } from './eventPage.ts';
import type { RequestedCallback } from './requests/subscribe.ts';
import type { EwsResponses } from './responses/responses.ts';
import type { SubscriptionStore } from './subscriptions.ts';

/** What a simulated server has posted for a push subscription. */
export interface PostedNotification {
  /** The subscription that it was for. */
  readonly subscriptionId: string;
  /** When it was sent, in milliseconds of the scheduler's clock. */
  readonly time: number;
  /** How many events there were in it; a status is none. */
  readonly events: number;
  /** What came back: undefined while nothing has, and `failed` for no answer, or none that is one. */
  readonly response: 'OK' | 'Unsubscribe' | 'failed' | undefined;
}

/** The push subscriptions of a simulated server. */
export interface PushSubscriptions {
  readonly posts: readonly PostedNotification[];
  /** Refuses what cannot be posted to. */
  check(callback: RequestedCallback | undefined): void;
  /** Begins to post for a subscription, if it has where to. */
  begin(id: string, callback: RequestedCallback | undefined): void;
  /** Posts what has happened since, for those who watch it. */
  deliver(): void;
  /** Forgets all subscriptions, and what is under way. */
  forget(): void;
}

interface PushSubscription {
  readonly id: string;
  readonly callback: RequestedCallback;
  isPosting: boolean;
  /** What was posted and not answered: what is posted again is called as it was. */
  unanswered: EventPage | undefined;
  /** When the first of the failures in a row was. */
  failingSince: number | undefined;
  failures: number;
  /** Until the next post, which nothing but events can bring forward. */
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
 * Creates the push subscriptions of a server, of which there are none yet. A post that fails is tried again
 * after 30 seconds, then after twice as long each time, until the status frequency has passed: then the
 * subscription is given up.
 *
 * @param refusal What is to be posted in the place of events, if anything.
 * @param transport What is posted through; without, push subscriptions are refused.
 */
export function pushSubscriptions(
  store: SubscriptionStore,
  answers: EwsResponses,
  refusal: () => EwsErrorResponse | undefined,
  transport: Transport | undefined,
  { dialect, latencyMs }: { readonly dialect: EwsDialect; readonly latencyMs: number },
): PushSubscriptions {
  // grommunio takes push subscriptions, and posts nothing.
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
    const refused = refusal();
    const one: Post = {
      subscriptionId: id,
      time: asyncScheduler.now(),
      events: refused === undefined ? next.page.events.length : 0,
      response: undefined,
    };
    posts.push(one);
    push.waiting.unsubscribe();
    push.isPosting = true;
    const settle = (answer: Post['response']): void => {
      one.response = answer;
      if (!pushes.has(push)) return;
      push.isPosting = false;
      if (refused === undefined) push.unanswered = answer === 'failed' ? next.page : undefined;
      if (answer === 'Unsubscribe') drop(push);
      else if (answer === 'OK') {
        if (refused === undefined) next.arrived();
        succeeded(push);
      } else failed(push);
    };
    send({
      method: 'POST',
      url: callback.url,
      headers: { 'content-type': 'text/xml; charset=utf-8' },
      body:
        refused === undefined
          ? answers.posted(next.page)
          : answers.error('SendNotification', withSubscriptionId(id, refused)),
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
