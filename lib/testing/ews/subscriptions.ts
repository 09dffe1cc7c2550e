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
import { type Mailbox, type EwsMailboxes, mailboxName } from './mailbox.ts';
import type { ImpersonatedUser } from './requests/readRequest.ts';
import type { SubscribeRequest } from './requests/subscribe.ts';
import { timeoutMinutesOf, watchedAddress, watchedFolders } from './watchedFolders.ts';

/** A subscription on a simulated EWS server. @inline */
export interface SimulatedEwsSubscription {
  readonly id: string;
  readonly type: 'pull' | 'streaming' | 'push';
  /** Ids of the watched folders; undefined for all. */
  readonly folders: readonly string[] | undefined;
  /** The elements of the events, such as `NewMailEvent`. */
  readonly events: readonly string[];
  readonly timeoutMinutes: number;
  /**
   * The time at which it expires without a request, in milliseconds of the scheduler's clock.
   *
   * Infinity while it has a stream, and for a push subscription.
   */
  readonly expiresAt: number;
  readonly impersonated: ImpersonatedUser | undefined;
  /** The address of its mailbox; undefined for that of the account. */
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
  /**
   * Returns the next page to post, and a function that acknowledges it; undefined if the subscription is
   * gone.
   */
  nextPost(
    id: string,
    unanswered?: EventPage,
  ): { readonly page: EventPage; readonly acknowledge: () => void } | undefined;
  /** Returns the error code if a stream of this user cannot serve the subscription. */
  errorCodeFor(id: string, impersonated: ImpersonatedUser | undefined): string | undefined;
  /** Suspends expiry while a stream serves the subscription. */
  attach(id: string): void;
  /** Resumes expiry when no stream serves the subscription any more. */
  detach(id: string): void;
  /** Returns the number of pending events. */
  countPending(id: string): number;
  /** Takes the events since the last call. */
  takeEvents(id: string): Omit<PageOfEvents, 'reached'>;
  unsubscribe(id: string, impersonated: ImpersonatedUser | undefined): void;
  expire(id?: string): void;
  restart(): void;
  forgetHistory(): void;
  /** Lets all requests for the mailbox of an address fail while it is being moved. */
  beginMove(address: string): void;
  /** Ends the move of a mailbox, and removes its subscriptions. */
  endMove(address: string): void;
}

/** The limits of a server. */
interface SubscriptionLimits {
  readonly maxSubscriptions: number;
  /** The largest number of pending events; with more, the subscription is lost. */
  readonly maxPendingEvents: number;
}

interface StoredSubscription extends SimulatedEwsSubscription {
  readonly view: SimulatedEwsSubscription;
  expiresAt: number;
  /** The position of the last event delivered, for servers that track it. */
  cursor: number;
  readonly history: Mailbox['history'];
}

const INVALID = 'ErrorInvalidSubscription';
const NOT_FOUND = 'ErrorSubscriptionNotFound';
const NOT_FOUND_TEXT = 'The specified subscription was not found.';
const MOVING = 'ErrorMailboxMoveInProgress';

/** Creates the subscriptions of a server. */
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
    checkNotMoving(subscription.mailbox);
    return subscription;
  };

  const isMoving = (mailbox: string | undefined): boolean =>
    mailbox !== undefined && moving.has(mailboxName(mailbox));

  const checkNotMoving = (mailbox: string | undefined): void => {
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
  ): { readonly page: EventPage; readonly acknowledge: () => void } => {
    const { events, moreEvents, reached } = pageOfEvents(subscription, start, dialect, PAGE_SIZE);
    const { id, history } = subscription;
    const epoch = forgotten;
    const watermarkAt = (sequence = history.length): string => watermarkOf(sequence, epoch);
    return {
      page: { subscriptionId: id, previousWatermark, moreEvents, events, watermarkAt },
      acknowledge: () => (subscription.cursor = reached),
    };
  };

  /** Returns a subscription that GetEvents and Unsubscribe accept: on Exchange, no push subscription. */
  const findPolled = (id: string, code: string, message: string): StoredSubscription => {
    const subscription = find(id, code, message);
    if (!isExchange || subscription.type !== 'push') return subscription;
    throw new EwsErrorResponse(
      'error',
      'ErrorInvalidPullSubscriptionId',
      'The subscription is a push subscription.',
    );
  };

  /**
   * Returns whether a subscription belongs to another user; Exchange lets an account use those of all its
   * users.
   */
  const isOthers = (
    { impersonated: owner }: StoredSubscription,
    user: ImpersonatedUser | undefined,
  ): boolean => !isExchange && owner?.name.toLowerCase() !== user?.name.toLowerCase();

  const hasOverflowed = (subscription: StoredSubscription): boolean =>
    !isExchange && countEvents(subscription, subscription.cursor, dialect) > maxPendingEvents;

  return {
    get all() {
      dropExpired();
      return [...subscriptions.values()].map(({ view, expiresAt }) => ({ ...view, expiresAt }));
    },
    subscribe: (request, impersonated) => {
      dropExpired();
      const mailbox = watchedAddress(request, impersonated, mailboxes);
      checkNotMoving(mailbox);
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
        view: subscription,
        cursor,
        // The mailbox is replaced when a test names its address.
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
        throw new EwsErrorResponse('error', INVALID, 'The subscription has too many pending events.');
      const start = isExchange ? startOf(watermark, subscription.history) : subscription.cursor;
      const { page, acknowledge } = pageFrom(subscription, start, watermark);
      acknowledge();
      subscription.expiresAt = asyncScheduler.now() + subscription.timeoutMinutes * 60_000;
      return page;
    },
    nextPost: (id, unanswered) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined) return undefined;
      const { cursor } = subscription;
      const { page, acknowledge } = pageFrom(subscription, cursor, watermarkOf(cursor, forgotten));
      if (unanswered === undefined) return { page, acknowledge };
      const { previousWatermark, watermarkAt } = unanswered;
      return { page: { ...page, previousWatermark, watermarkAt }, acknowledge };
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
      // Skips events of other subscriptions, so that they are counted only once.
      if (count === 0) subscription.cursor = subscription.history.length;
      return count;
    },
    takeEvents: (id) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined) return { events: [], moreEvents: false };
      // The streams of Exchange have no MoreEvents.
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
