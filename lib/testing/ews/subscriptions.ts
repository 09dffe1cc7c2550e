import { asyncScheduler } from 'rxjs';
import {
  type EwsDialect,
  EwsErrorResponse,
  isGrommunio,
  sequenceOf,
  subscriptionIdOf,
  watermarkOf,
} from './dialect.ts';
import { countEvents, type EventPage, PAGE_SIZE, pageOfEvents, type PageOfEvents } from './eventPage.ts';
import type { Mailbox } from './mailbox.ts';
import { type EwsMailboxes, mailboxName } from './mailboxes.ts';
import type { ImpersonatedUser } from './requests/readRequest.ts';
import type { SubscribeRequest } from './requests/subscribe.ts';
import { timeoutMinutesOf, watchedAddress, watchedFolders } from './watchedFolders.ts';

/** A subscription that a simulated server holds. */
export interface SimulatedEwsSubscription {
  readonly id: string;
  readonly type: 'pull' | 'streaming' | 'push';
  /** Ids of the watched folders; undefined for all. */
  readonly folders: readonly string[] | undefined;
  /** The elements of the events, such as `NewMailEvent`. */
  readonly events: readonly string[];
  readonly timeoutMinutes: number;
  /**
   * When it ends if it is not asked before, in milliseconds of the scheduler's clock; never while it streams, or
   * where it is posted.
   */
  readonly expiresAt: number;
  readonly impersonated: ImpersonatedUser | undefined;
  /** The address of the mailbox that it watches; undefined for the one of the account. */
  readonly mailbox: string | undefined;
}

/** The subscriptions of a simulated server. */
export interface SubscriptionStore {
  readonly all: readonly SimulatedEwsSubscription[];
  subscribe(
    request: SubscribeRequest,
    impersonated: ImpersonatedUser | undefined,
  ): { readonly id: string; readonly watermark: string };
  getEvents(id: string, watermark: string, impersonated: ImpersonatedUser | undefined): EventPage;
  /** What is to be posted for it now, and how to note that it arrived; undefined where it is gone. */
  nextPost(
    id: string,
    unanswered?: EventPage,
  ): { readonly page: EventPage; readonly arrived: () => void } | undefined;
  /** Returns the code that says why a stream of a user cannot serve it, if that is so. */
  errorCodeFor(id: string, impersonated: ImpersonatedUser | undefined): string | undefined;
  /** A stream serves it. */
  attach(id: string): void;
  /** No stream serves it any more. */
  detach(id: string): void;
  /** Returns how many events wait for it. */
  countPending(id: string): number;
  /** Takes what has happened for it since the last time. */
  takeEvents(id: string): Omit<PageOfEvents, 'reached'>;
  unsubscribe(id: string, impersonated: ImpersonatedUser | undefined): void;
  expire(id?: string): void;
  restart(): void;
  forgetHistory(): void;
  /** Answers nothing but that it is being moved for what is in the mailbox of an address. */
  beginMove(address: string): void;
  /** The mailbox is somewhere else: its subscriptions are gone. */
  endMove(address: string): void;
}

/** How many subscriptions and events a server keeps. */
interface SubscriptionLimits {
  readonly maxSubscriptions: number;
  /** How many events wait for one subscription; with more, it has lost them. */
  readonly maxPendingEvents: number;
}

interface StoredSubscription extends SimulatedEwsSubscription {
  readonly shown: SimulatedEwsSubscription;
  expiresAt: number;
  /** How far the events were handed out, for a server that goes by that. */
  cursor: number;
  readonly history: Mailbox['history'];
}

const INVALID = 'ErrorInvalidSubscription';
const NOT_FOUND = 'ErrorSubscriptionNotFound';
const NOT_FOUND_TEXT = 'The specified subscription was not found.';
const MOVING = 'ErrorMailboxMoveInProgress';

/** Creates the subscriptions of a server, of which there are none yet. */
export function subscriptionStore(
  mailboxes: EwsMailboxes,
  dialect: EwsDialect,
  { maxSubscriptions, maxPendingEvents }: SubscriptionLimits,
): SubscriptionStore {
  const isExchange = !isGrommunio(dialect);
  const subscriptions = new Map<string, StoredSubscription>();
  const moving = new Set<string>();
  let starts = 1;
  let made = 0;
  let forgotten = 0;

  const dropExpired = (): void => {
    const now = asyncScheduler.now();
    for (const { id, expiresAt } of subscriptions.values()) if (expiresAt <= now) subscriptions.delete(id);
  };

  const find = (id: string, code: string, message: string): StoredSubscription => {
    dropExpired();
    const subscription = subscriptions.get(id);
    if (subscription === undefined) throw new EwsErrorResponse('error', code, message);
    checkPlace(subscription.mailbox);
    return subscription;
  };

  const isMoving = (mailbox: string | undefined): boolean =>
    mailbox !== undefined && moving.has(mailboxName(mailbox));

  const checkPlace = (mailbox: string | undefined): void => {
    if (isMoving(mailbox)) throw new EwsErrorResponse('error', MOVING, 'The mailbox is being moved.');
  };

  const startOf = (watermark: string, history: Mailbox['history']): number => {
    const sequence = sequenceOf(watermark, forgotten);
    if (sequence === undefined || sequence > history.length) {
      throw new EwsErrorResponse(
        'error',
        'ErrorInvalidWatermark',
        'The watermark used for this subscription was not found.',
      );
    }
    return sequence;
  };

  const pageFrom = (
    subscription: StoredSubscription,
    start: number,
    previousWatermark: string,
  ): { readonly page: EventPage; readonly arrived: () => void } => {
    const { events, moreEvents, reached } = pageOfEvents(subscription, start, dialect, PAGE_SIZE);
    const { id, history } = subscription;
    const epoch = forgotten;
    const watermarkAt = (sequence = history.length): string => watermarkOf(sequence, epoch);
    return {
      page: { subscriptionId: id, previousWatermark, moreEvents, events, watermarkAt },
      arrived: () => (subscription.cursor = reached),
    };
  };

  /** Finds one that can be asked for, and removed by asking: on Exchange, none that is posted. */
  const findPolled = (id: string, code: string, message: string): StoredSubscription => {
    const subscription = find(id, code, message);
    if (!isExchange || subscription.type !== 'push') return subscription;
    throw new EwsErrorResponse(
      'error',
      'ErrorInvalidPullSubscriptionId',
      'The subscription is a push subscription.',
    );
  };

  /** Whether a user may not use it: Exchange lets an account read for all users that it has subscribed for. */
  const isOthers = (
    { impersonated: owner }: StoredSubscription,
    user: ImpersonatedUser | undefined,
  ): boolean => !isExchange && owner?.name.toLowerCase() !== user?.name.toLowerCase();

  const hasOverflowed = (subscription: StoredSubscription): boolean =>
    !isExchange && countEvents(subscription, subscription.cursor, dialect) > maxPendingEvents;

  return {
    get all() {
      dropExpired();
      return [...subscriptions.values()].map(({ shown, expiresAt }) => ({ ...shown, expiresAt }));
    },
    subscribe: (request, impersonated) => {
      dropExpired();
      const mailbox = watchedAddress(request, impersonated, mailboxes);
      checkPlace(mailbox);
      const watched = mailboxes.of(mailbox);
      const folders = watchedFolders(request, watched, dialect);
      const cursor =
        isExchange && request.watermark !== undefined
          ? startOf(request.watermark, watched.history)
          : watched.history.length;
      if (subscriptions.size >= maxSubscriptions) {
        throw new EwsErrorResponse(
          'error',
          'ErrorExceededSubscriptionCount',
          'You have exceeded the available subscriptions for your account.',
        );
      }
      const { type, events } = request;
      const timeoutMinutes = timeoutMinutesOf(request, dialect);
      const id = subscriptionIdOf(dialect, starts, ++made, timeoutMinutes);
      const expiresAt = asyncScheduler.now() + timeoutMinutes * 60_000;
      const subscription = { id, type, folders, events, timeoutMinutes, expiresAt, impersonated, mailbox };
      subscriptions.set(id, {
        ...subscription,
        shown: subscription,
        cursor,
        // It becomes another when a test names its mailbox.
        get history() {
          return mailboxes.of(mailbox).history;
        },
      });
      return { id, watermark: watermarkOf(cursor, forgotten) };
    },
    getEvents: (id, watermark, impersonated) => {
      const subscription = isExchange
        ? findPolled(id, NOT_FOUND, NOT_FOUND_TEXT)
        : findPolled(id, INVALID, 'The subscription is invalid.');
      if (isOthers(subscription, impersonated))
        throw new EwsErrorResponse('error', 'ErrorAccessDenied', 'The subscription is of another user.');
      if (hasOverflowed(subscription))
        throw new EwsErrorResponse('error', INVALID, 'Too many events have waited for the subscription.');
      const start = isExchange ? startOf(watermark, subscription.history) : subscription.cursor;
      const { page, arrived } = pageFrom(subscription, start, watermark);
      arrived();
      subscription.expiresAt = asyncScheduler.now() + subscription.timeoutMinutes * 60_000;
      return page;
    },
    nextPost: (id, unanswered) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined) return undefined;
      const { cursor } = subscription;
      const { page, arrived } = pageFrom(subscription, cursor, watermarkOf(cursor, forgotten));
      if (unanswered === undefined) return { page, arrived };
      const { previousWatermark, watermarkAt } = unanswered;
      return { page: { ...page, previousWatermark, watermarkAt }, arrived };
    },
    errorCodeFor: (id, impersonated) => {
      dropExpired();
      const subscription = subscriptions.get(id);
      if (subscription?.type !== 'streaming') return INVALID;
      if (isOthers(subscription, impersonated) || hasOverflowed(subscription)) return INVALID;
      return isMoving(subscription.mailbox) ? MOVING : undefined;
    },
    attach: (id) => {
      const subscription = subscriptions.get(id);
      if (subscription !== undefined) subscription.expiresAt = Infinity;
    },
    detach: (id) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined) return;
      subscription.expiresAt = asyncScheduler.now() + subscription.timeoutMinutes * 60_000;
    },
    countPending: (id) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined) return 0;
      const count = countEvents(subscription, subscription.cursor, dialect);
      // What is not for it is not counted again.
      if (count === 0) subscription.cursor = subscription.history.length;
      return count;
    },
    takeEvents: (id) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined) return { events: [], moreEvents: false };
      // Exchange says of a stream nowhere that there is more.
      const limit = isExchange ? Infinity : PAGE_SIZE;
      const { events, moreEvents, reached } = pageOfEvents(subscription, subscription.cursor, dialect, limit);
      subscription.cursor = reached;
      return { events, moreEvents };
    },
    unsubscribe: (id, impersonated) => {
      const subscription = findPolled(id, NOT_FOUND, NOT_FOUND_TEXT);
      if (isOthers(subscription, impersonated))
        throw new EwsErrorResponse('error', NOT_FOUND, NOT_FOUND_TEXT);
      subscriptions.delete(id);
    },
    expire: (id) => {
      if (id === undefined) subscriptions.clear();
      else subscriptions.delete(id);
    },
    restart: () => {
      subscriptions.clear();
      starts += 1;
      made = 0;
    },
    forgetHistory: () => {
      forgotten += 1;
    },
    beginMove: (address) => {
      moving.add(mailboxName(address));
    },
    endMove: (address) => {
      const name = mailboxName(address);
      moving.delete(name);
      for (const { id, mailbox } of subscriptions.values())
        if (mailbox !== undefined && mailboxName(mailbox) === name) subscriptions.delete(id);
    },
  };
}
