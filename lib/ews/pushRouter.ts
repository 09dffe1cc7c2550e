import { map, Observable, type Subscriber, Subscription, timer, toArray } from 'rxjs';
import { ClosedError } from '../core/errors.ts';
import type { ReleaseResult } from '../core/release.ts';
import {
  type IncomingNotification,
  type NotificationAnswer,
  refusal,
  tryLater,
} from './incomingNotification.ts';
import { parseMessages } from './parser.ts';
import {
  notificationsIn,
  sendNotificationResult,
  SUBJECT,
  type SubscriptionStatus,
  subscriptionsIn,
} from './sendNotification.ts';
import type { ResponseMessage } from './wire.ts';

/** Leads what servers post to the subscriptions that it is for, and answers it. */
export interface PushRouter {
  /**
   * Notes that a subscription is being made, until the returned function is called: what comes for an unknown
   * id may be for that one, and waits. It throws where nothing can come any more.
   */
  expect(): () => void;
  /** What comes for a subscription. It errors where nothing can come any more. */
  messagesFor(subscriptionId: string): Observable<ResponseMessage>;
  /** Emits when the server has asked for a subscription, and was told to end it. */
  dismiss(subscriptionId: string): Observable<ReleaseResult>;
}

/** A notification that was read, and is to be answered. */
interface Delivery {
  readonly messages: readonly ResponseMessage[];
  readonly ids: readonly string[];
  readonly respond: IncomingNotification['respond'];
  readonly patience: Subscription;
}

/** How long a notification waits for the subscription that is being made: servers try again after that. */
const HELD_MS = 20_000;
/** How many may wait. */
const MOST_HELD = 100;

const ROUTERS = new WeakMap<Observable<IncomingNotification>, PushRouter>();

/** The one router of an Observable of notifications: all that subscribe with it share it. */
export function routerOf(incoming$: Observable<IncomingNotification>): PushRouter {
  const known = ROUTERS.get(incoming$);
  if (known !== undefined) return known;
  const router = pushRouter(incoming$);
  ROUTERS.set(incoming$, router);
  return router;
}

function pushRouter(incoming$: Observable<IncomingNotification>): PushRouter {
  const members = new Map<string, Subscriber<ResponseMessage>>();
  const dismissed = new Map<string, Subscriber<ReleaseResult>>();
  const held = new Set<Delivery>();
  let expected = 0;
  let uses = 0;
  let listening: Subscription | undefined;
  let ended: { readonly error: unknown } | undefined;

  const isAlive = (id: string): boolean => members.has(id);

  const deliver = ({ messages, ids, respond, patience }: Delivery): void => {
    patience.unsubscribe();
    for (const message of messages) {
      for (const id of new Set(subscriptionsIn(message))) members.get(id)?.next(message);
    }
    // Asked after the delivery: who leaves over what came is served in the same answer.
    const isOver = ids.length > 0 && !ids.some(isAlive);
    respond(answer(isOver ? 'Unsubscribe' : 'OK'));
    if (!isOver) return;
    for (const id of ids) {
      const one = dismissed.get(id);
      one?.next({});
      one?.complete();
    }
  };

  const canDeliver = ({ ids }: Delivery): boolean => expected === 0 || ids.every(isAlive);

  const hold = (delivery: Delivery): void => {
    if (held.size === MOST_HELD) {
      delivery.respond(tryLater('Too many notifications for unknown ids are waiting.'));
      return;
    }
    held.add(delivery);
    delivery.patience.add(
      timer(HELD_MS).subscribe(() => {
        held.delete(delivery);
        delivery.respond(tryLater('The id is not known while a Subscribe is not answered.'));
      }),
    );
  };

  const deliverHeld = (): void => {
    for (const delivery of [...held]) {
      if (canDeliver(delivery) && held.delete(delivery)) deliver(delivery);
    }
  };

  const receive = ({ body$, respond }: IncomingNotification): void => {
    const take = (messages: readonly ResponseMessage[]): void => {
      const ids = [...new Set(messages.flatMap(subscriptionsIn))];
      const delivery = { messages, ids, respond, patience: new Subscription() };
      if (canDeliver(delivery)) deliver(delivery);
      else hold(delivery);
    };
    body$.pipe(parseMessages({ subject: SUBJECT }), toArray(), map(notificationsIn)).subscribe({
      next: take,
      error: (error: unknown) =>
        respond(refusal(400, error instanceof Error ? error.message : String(error))),
    });
  };

  const end = (error: unknown): void => {
    ended = { error };
    for (const one of [...members.values(), ...dismissed.values()]) one.error(error);
  };

  /** Listens while anybody has use of it. */
  const use = (): (() => void) => {
    uses += 1;
    if (uses === 1) {
      ended = undefined;
      listening = incoming$.subscribe({
        next: receive,
        error: end,
        complete: () => end(new ClosedError('What is notified by push')),
      });
    }
    return () => {
      uses -= 1;
      if (uses === 0) listening?.unsubscribe();
    };
  };

  /** One who is there under an id; another that comes under the same id takes its place. */
  const enrolled = <Value>(
    register: Map<string, Subscriber<Value>>,
    id: string,
    came: () => void,
  ): Observable<Value> =>
    new Observable((subscriber) => {
      const leave = use();
      register.set(id, subscriber);
      subscriber.add(() => {
        if (register.get(id) === subscriber) register.delete(id);
        leave();
      });
      if (ended !== undefined) subscriber.error(ended.error);
      else came();
    });

  return {
    expect: () => {
      const leave = use();
      if (ended !== undefined) {
        leave();
        throw ended.error;
      }
      expected += 1;
      return () => {
        expected -= 1;
        deliverHeld();
        leave();
      };
    },
    messagesFor: (id) =>
      enrolled(members, id, () => {
        // The server has given the id anew, so it has nothing any more that it was for.
        const former = dismissed.get(id);
        former?.next({ alreadyGone: true });
        former?.complete();
        deliverHeld();
      }),
    dismiss: (id) => enrolled(dismissed, id, () => undefined),
  };
}

function answer(status: SubscriptionStatus): NotificationAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: sendNotificationResult(status),
  };
}
