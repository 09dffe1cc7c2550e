import {
  concat,
  defer,
  finalize,
  identity,
  ignoreElements,
  Observable,
  share,
  tap,
  throwError,
  map,
  merge,
  type Subscriber,
  Subscription,
  take,
  timer,
  toArray,
} from 'rxjs';
import { ClosedError, DecodeError } from '../../core/errors.ts';
import {
  secretIn,
  type PushRequest,
  retryLater,
  type PushResponse,
  reject,
  BodyTooLarge,
  limitBytes,
  tooLarge,
} from './pushRequest.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { excerpt } from '../../core/text.ts';
import type { ResponseMessage } from '../protocol/messages.ts';
import { parseMessages } from '../protocol/parser.ts';
import {
  NOTIFICATION_SUBJECT,
  type PostedMessages,
  postedMessages,
  sendNotificationResult,
  type SubscriptionStatus,
} from './sendNotification.ts';

/** Routes each post to its sender, by the secret in the URL. */
export interface PushRouter {
  /**
   * Creates the sender of the posts with a secret.
   *
   * Without a secret it returns the one sender of all other posts: those with an unknown secret, or none.
   *
   * @param log Called with each post with the secret; returns the post that is read. @default no log
   */
  senderFor(secret: string | undefined, log?: (post: PushRequest) => PushRequest): PushSender;
}

/** The default number of concurrent posts with an unknown secret, or none. */
export const MAX_UNKNOWN = 32;

/** Concurrent posts with one secret: a server sends them one by one, but may repeat one that it lost. */
const MAX_KNOWN = 3;

/**
 * The size of a post with an unknown secret, or none, so that strangers cannot fill the memory.
 *
 * A notification of 50 events needs about half of it.
 */
const MAX_UNKNOWN_BYTES = 131_072;

const ROUTERS = new WeakMap<Observable<PushRequest>, PushRouter>();

/**
 * Returns the router of an Observable of posts: one for all subscriptions that use it.
 *
 * @param maxUnknown The number of concurrent posts with an unknown secret, or none, set by the first call.
 * @default 32
 */
export function routerOf(incoming$: Observable<PushRequest>, maxUnknown: number = MAX_UNKNOWN): PushRouter {
  const known = ROUTERS.get(incoming$);
  if (known !== undefined) return known;
  const router = pushRouter(incoming$, maxUnknown);
  ROUTERS.set(incoming$, router);
  return router;
}

function pushRouter(incoming$: Observable<PushRequest>, maxUnknown: number): PushRouter {
  const bySecret = new Map<string, Pick<PushSender, 'receive'>>();

  const receive = (post: PushRequest): void => {
    const { url, respond } = post;
    if (url === undefined && bySecret.size > 0) {
      respond(retryLater('The adapter does not give the URL.'));
      throw new TypeError(
        'incoming must give the url of each notification, because it names the subscription by a secret: ' +
          'add url to what the adapter emits, or subscribe with callbackSecret: false',
      );
    }
    const secret = secretIn(url?.() ?? '');
    // The time of a Map lookup reveals nothing useful about a random key of 128 bits.
    const sender = secret === undefined ? undefined : bySecret.get(secret);
    (sender ?? unknownSender).receive(post);
  };

  const arrivals$ = concat(
    incoming$.pipe(tap(receive), ignoreElements()),
    throwError(() => new ClosedError('What is notified by push')),
  ).pipe(share());

  const unknownSender = pushSender(arrivals$, maxUnknown, MAX_UNKNOWN_BYTES);

  const createSender = (secret: string, log: (post: PushRequest) => PushRequest): PushSender => {
    const registered$ = defer(() => {
      bySecret.set(secret, { receive: (post) => sender.receive(log(post)) });
      return arrivals$;
    }).pipe(
      finalize(() => bySecret.delete(secret)),
      share(),
    );
    const sender = pushSender(registered$, MAX_KNOWN);
    return sender;
  };

  return {
    senderFor: (secret, log = identity) => (secret === undefined ? unknownSender : createSender(secret, log)),
  };
}

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
