import { map, merge, Observable, type Subscriber, Subscription, take, timer, toArray } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { excerpt } from '../../core/text.ts';
import type { ResponseMessage } from '../protocol/messages.ts';
import { parseMessages } from '../protocol/parser.ts';
import { BodyTooLarge, limitBytes, tooLarge } from './body.ts';
import { type PushRequest, type PushResponse, reject, retryLater } from './pushRequest.ts';
import {
  NOTIFICATION_SUBJECT,
  type PostedMessages,
  postedMessages,
  sendNotificationResult,
  type SubscriptionStatus,
} from './sendNotification.ts';

/** The posts with one secret, and the subscriptions that they are for. */
export interface PushSender {
  /**
   * Expects a new subscription until the returned function is called: posts for unknown ids wait so long.
   *
   * @throws The error of the arrivals, if nothing can arrive any more.
   */
  expectSubscription(): () => void;
  /** Returns an Observable of the messages for a subscription. It errors if nothing can arrive any more. */
  messagesFor(subscriptionId: string): Observable<ResponseMessage>;
  /**
   * Returns an Observable that emits and completes when the next post for a subscription was answered
   * `Unsubscribe`.
   */
  unsubscribeOnNextPost(subscriptionId: string): Observable<ReleaseResult>;
  /** Reads a post, and answers it. */
  receive(post: PushRequest): void;
}

/** A post that was read, but not answered. */
interface Delivery extends PostedMessages {
  readonly respond: PushRequest['respond'];
  readonly timeout: Subscription;
}

/** How long a post waits for the response to Subscribe; the server retries after that. */
const WAIT_MS = 20_000;

/**
 * Creates the sender of the posts with one secret.
 *
 * @param arrivals$ Posts arrive while it is subscribed to. It errors if nothing can arrive any more.
 * @param maxPosts How many posts may be read or wait at the same time. Others are answered 503.
 * @param maxBytes The size of a post. A larger one is answered 413. @default unlimited
 */
export function pushSender(
  arrivals$: Observable<never>,
  maxPosts: number,
  maxBytes: number = Number.POSITIVE_INFINITY,
): PushSender {
  const subscribers = new Map<string, Subscriber<ResponseMessage>>();
  const unsubscribing = new Map<string, Subscriber<ReleaseResult>>();
  const waiting = new Set<Delivery>();
  let expected = 0;
  let underWay = 0;

  const deliver = ({ messages, id, respond, timeout }: Delivery): void => {
    timeout.unsubscribe();
    for (const message of messages) subscribers.get(id)?.next(message);
    // Decided after delivery: unsubscribing over a message ends the subscription with this response.
    const isOver = id !== '' && !subscribers.has(id);
    respond(accept(isOver ? 'Unsubscribe' : 'OK'));
    if (isOver) unsubscribing.get(id)?.next({});
  };

  const canDeliver = ({ id }: Delivery): boolean => expected === 0 || id === '' || subscribers.has(id);

  const wait = (delivery: Delivery): void => {
    waiting.add(delivery);
    delivery.timeout.add(
      timer(WAIT_MS).subscribe(() => {
        waiting.delete(delivery);
        delivery.respond(retryLater('The id is not known while a Subscribe is not answered.'));
      }),
    );
  };

  const deliverWaiting = (): void => {
    for (const delivery of [...waiting]) {
      if (canDeliver(delivery) && waiting.delete(delivery)) deliver(delivery);
    }
  };

  /** Returns an Observable that is registered for an id while it is subscribed to; the last one counts. */
  const registered = <Value>(
    register: Map<string, Subscriber<Value>>,
    id: string,
    onRegistered: () => void = () => undefined,
  ): Observable<Value> =>
    merge(
      arrivals$,
      new Observable<Value>((subscriber) => {
        register.set(id, subscriber);
        subscriber.add(() => {
          if (register.get(id) === subscriber) register.delete(id);
        });
        onRegistered();
      }),
    );

  return {
    expectSubscription: () => {
      const failures: unknown[] = [];
      const listening = arrivals$.subscribe({ error: (error: unknown) => failures.push(error) });
      if (failures.length > 0) throw failures[0];
      expected += 1;
      return () => {
        expected -= 1;
        deliverWaiting();
        listening.unsubscribe();
      };
    },
    messagesFor: (id) =>
      registered(subscribers, id, () => {
        // The server has given the id to a new subscription, so the old one is gone.
        unsubscribing.get(id)?.next({ alreadyGone: true });
        deliverWaiting();
      }),
    unsubscribeOnNextPost: (id) => registered(unsubscribing, id).pipe(take(1)),
    receive: ({ body$, respond: respondOnce }) => {
      if (underWay >= maxPosts) {
        respondOnce(retryLater('Too many posts are under way.'));
        return;
      }
      underWay += 1;
      const respond = (response: PushResponse): void => {
        underWay -= 1;
        respondOnce(response);
      };
      const parse = parseMessages({ subject: NOTIFICATION_SUBJECT });
      body$.pipe(limitBytes(maxBytes), parse, toArray(), map(postedMessages)).subscribe({
        next: (posted) => {
          const delivery = { ...posted, respond, timeout: new Subscription() };
          if (canDeliver(delivery)) deliver(delivery);
          else wait(delivery);
        },
        error: (error: unknown) => respond(rejectionOf(error)),
      });
    },
  };
}

function accept(status: SubscriptionStatus): PushResponse {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: sendNotificationResult(status),
  };
}

/** The reason quotes nothing of the body: anybody may have posted it. */
function rejectionOf(error: unknown): PushResponse {
  if (error instanceof BodyTooLarge) return tooLarge(error.maxBytes);
  if (error instanceof DecodeError) {
    return reject(400, `${NOTIFICATION_SUBJECT}: expected ${error.expected}.`);
  }
  return reject(400, excerpt(error instanceof Error ? error.message : String(error)));
}
