import { map, merge, Observable, type Subscriber, Subscription, take, timer, toArray } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { excerpt } from '../../core/text.ts';
import { type PushRequest, type PushResponse, reject, retryLater } from './pushRequest.ts';
import { parseMessages } from '../protocol/parser.ts';
import { limitBytes, BodyTooLarge, tooLarge } from './body.ts';
import {
  type PostedMessages,
  postedMessages,
  sendNotificationResult,
  NOTIFICATION_SUBJECT,
  type SubscriptionStatus,
} from './sendNotification.ts';
import type { ResponseMessage } from '../protocol/messages.ts';

/** The posts of one sender, and the subscriptions that they may be for. */
export interface PushSender {
  /**
   * Notes that a Subscribe is under way, until the returned function is called: a post for an unknown id may be
   * for the new subscription, and waits.
   *
   * @throws The error of the arrivals, if nothing can arrive any more.
   */
  expectSubscription(): () => void;
  /** Returns an Observable of the messages for a subscription. It errors if nothing can arrive any more. */
  messagesFor(subscriptionId: string): Observable<ResponseMessage>;
  /** Returns an Observable that emits, and completes, when a post for a subscription was answered `Unsubscribe`. */
  unsubscribeOnNextPost(subscriptionId: string): Observable<ReleaseResult>;
  /** Reads a post, and answers it. */
  receive(notification: PushRequest): void;
}

/** A post that was read, and is to be answered. */
interface Delivery extends PostedMessages {
  readonly respond: PushRequest['respond'];
  readonly patience: Subscription;
}

/** How long a post waits for the Subscribe that is under way. Servers try again after that. */
const HELD_MS = 20_000;

/**
 * Creates the line of one sender.
 *
 * @param arrivals$ Lets posts arrive while it is subscribed to. It errors if nothing can arrive any more.
 * @param most How many posts may be under way, read or waiting, at the same time. Others are answered 503.
 * @param mostBytes How many bytes a post may have. A larger one is answered 413. @default as many as arrive
 */
export function pushSender(
  arrivals$: Observable<never>,
  most: number,
  mostBytes: number = Number.POSITIVE_INFINITY,
): PushSender {
  const members = new Map<string, Subscriber<ResponseMessage>>();
  const dismissed = new Map<string, Subscriber<ReleaseResult>>();
  const held = new Set<Delivery>();
  let expected = 0;
  let underWay = 0;

  const deliver = ({ messages, id, respond, patience }: Delivery): void => {
    patience.unsubscribe();
    for (const message of messages) members.get(id)?.next(message);
    // Decided after the delivery: a subscriber that leaves over a message ends the subscription with its answer.
    const isOver = id !== '' && !members.has(id);
    respond(answer(isOver ? 'Unsubscribe' : 'OK'));
    if (isOver) dismissed.get(id)?.next({});
  };

  const canDeliver = ({ id }: Delivery): boolean => expected === 0 || id === '' || members.has(id);

  const hold = (delivery: Delivery): void => {
    held.add(delivery);
    delivery.patience.add(
      timer(HELD_MS).subscribe(() => {
        held.delete(delivery);
        delivery.respond(retryLater('The id is not known while a Subscribe is not answered.'));
      }),
    );
  };

  const deliverHeld = (): void => {
    for (const delivery of [...held]) {
      if (canDeliver(delivery) && held.delete(delivery)) deliver(delivery);
    }
  };

  /** One subscriber for an id; the next for the same id takes its place. */
  const enrolled = <Value>(
    register: Map<string, Subscriber<Value>>,
    id: string,
    onEnrolled: () => void = () => undefined,
  ): Observable<Value> =>
    merge(
      arrivals$,
      new Observable<Value>((subscriber) => {
        register.set(id, subscriber);
        subscriber.add(() => {
          if (register.get(id) === subscriber) register.delete(id);
        });
        onEnrolled();
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
        deliverHeld();
        listening.unsubscribe();
      };
    },
    messagesFor: (id) =>
      enrolled(members, id, () => {
        // The server has given the id to a new subscription, so the old one is gone.
        dismissed.get(id)?.next({ alreadyGone: true });
        deliverHeld();
      }),
    unsubscribeOnNextPost: (id) => enrolled(dismissed, id).pipe(take(1)),
    receive: ({ body$, respond: respondOnce }) => {
      if (underWay >= most) {
        respondOnce(retryLater('Too many posts are under way.'));
        return;
      }
      underWay += 1;
      const respond = (given: PushResponse): void => {
        underWay -= 1;
        respondOnce(given);
      };
      const parse = parseMessages({ subject: NOTIFICATION_SUBJECT });
      body$.pipe(limitBytes(mostBytes), parse, toArray(), map(postedMessages)).subscribe({
        next: (posted) => {
          const delivery = { ...posted, respond, patience: new Subscription() };
          if (canDeliver(delivery)) deliver(delivery);
          else hold(delivery);
        },
        error: (error: unknown) => respond(refusalOf(error)),
      });
    },
  };
}

function answer(status: SubscriptionStatus): PushResponse {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: sendNotificationResult(status),
  };
}

/** Anybody may have posted the body, so no word of it is quoted. */
function refusalOf(error: unknown): PushResponse {
  if (error instanceof BodyTooLarge) return tooLarge(error.maxBytes);
  if (error instanceof DecodeError)
    return reject(400, `${NOTIFICATION_SUBJECT}: expected ${error.expected}.`);
  return reject(400, excerpt(error instanceof Error ? error.message : String(error)));
}
