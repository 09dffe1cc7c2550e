import { asyncScheduler } from 'rxjs';
import { type EwsDialect, EwsRefusal, sequenceOf, subscriptionIdOf, watermarkOf } from './ewsDialect.ts';
import type { Mailbox, MailboxEvent } from './ewsMailbox.ts';
import { asSeenBy, isFor } from './ewsSeenEvents.ts';
import type { EwsRequest, ImpersonatedUser } from './ewsRequests.ts';

/** A subscription that a simulated server holds. */
export interface HeldEwsSubscription {
  readonly id: string;
  readonly kind: 'pull' | 'streaming' | 'push';
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

/** What one question for events brings. */
export interface EventPage {
  readonly subscriptionId: string;
  readonly previousWatermark: string;
  readonly moreEvents: boolean;
  readonly events: readonly MailboxEvent[];
  /** The watermark behind an event; of the StatusEvent that comes where there are none, without one. */
  readonly watermarkAt: (sequence?: number) => string;
}

/** The subscriptions of a simulated server. */
export interface SubscriptionStore {
  readonly held: readonly HeldEwsSubscription[];
  subscribe(
    request: Extract<EwsRequest, { operation: 'Subscribe' }>,
    impersonated: ImpersonatedUser | undefined,
  ): { readonly id: string; readonly watermark: string };
  getEvents(id: string, watermark: string): EventPage;
  /** What is to be posted for it now, and how to note that it arrived; undefined where it is gone. */
  toPost(
    id: string,
    unanswered?: EventPage,
  ): { readonly page: EventPage; readonly arrived: () => void } | undefined;
  /** Why a stream cannot serve it, if that is so: the code. If told of whom, it must be theirs. */
  refusalOf(id: string, impersonated?: ImpersonatedUser): string | undefined;
  /** A stream serves it. */
  attached(id: string): void;
  /** No stream serves it any more. */
  detached(id: string): void;
  /** What has happened for it since the last time. */
  handOut(id: string): readonly MailboxEvent[];
  unsubscribe(id: string): void;
  expire(id?: string): void;
  restart(): void;
  forgetHistory(): void;
  /** Answers nothing but that it is being moved for what is in a mailbox. */
  beginMove(mailbox: string): void;
  /** The mailbox is somewhere else: its subscriptions are gone. */
  endMove(mailbox: string): void;
}

interface Held extends HeldEwsSubscription {
  expiresAt: number;
  /** How far the events were handed out, for a server that goes by that. */
  cursor: number;
  readonly history: Mailbox['history'];
}

/** How many events one answer holds at most. */
const PAGE = 50;
const GONE = 'ErrorInvalidSubscription';
const MOVING = 'ErrorMailboxMoveInProgress';

/**
 * Creates the subscriptions of a server, of which there are none yet.
 *
 * @param mailboxOf The mailbox of an address; without one, that of the account.
 */
export function subscriptionStore(
  mailboxOf: (address: string | undefined) => Mailbox,
  dialect: EwsDialect,
  maxSubscriptions: number,
): SubscriptionStore {
  const held = new Map<string, Held>();
  const moving = new Set<string | undefined>();
  let starts = 1;
  let made = 0;
  let forgotten = 0;

  const dropExpired = (): void => {
    const now = asyncScheduler.now();
    for (const { id, expiresAt } of held.values()) if (expiresAt <= now) held.delete(id);
  };

  const find = (id: string, code: string, message: string): Held => {
    dropExpired();
    const subscription = held.get(id);
    if (subscription === undefined) throw new EwsRefusal('error', code, message);
    checkPlace(subscription.mailbox);
    return subscription;
  };

  const checkPlace = (mailbox: string | undefined): void => {
    if (moving.has(mailbox)) throw new EwsRefusal('error', MOVING, 'The mailbox is being moved.');
  };

  const startOf = (watermark: string, history: Mailbox['history']): number => {
    const sequence = sequenceOf(watermark, forgotten);
    if (sequence === undefined || sequence > history.length) {
      throw new EwsRefusal(
        'error',
        'ErrorInvalidWatermark',
        'The watermark used for this subscription was not found.',
      );
    }
    return sequence;
  };

  const foldersOf = (
    { folders, allFolders }: Extract<EwsRequest, { operation: 'Subscribe' }>,
    mailbox: Mailbox,
  ): readonly string[] | undefined => {
    if (dialect === 'exchange' && allFolders === (folders !== undefined)) {
      throw new EwsRefusal(
        'error',
        'ErrorInvalidSubscriptionRequest',
        'The subscription request is not valid.',
      );
    }
    if (allFolders) return undefined;
    return folders?.map(({ id, distinguished }) => {
      const folder = mailbox.resolveFolder(id, distinguished);
      if (folder !== undefined) return folder;
      throw dialect === 'exchange'
        ? new EwsRefusal('error', 'ErrorFolderNotFound', 'The specified folder could not be found.')
        : new EwsRefusal('fault', 'ErrorInvalidId', 'The folder id is invalid.');
    });
  };

  const pageFrom = (
    subscription: Held,
    start: number,
    previousWatermark: string,
  ): { readonly page: EventPage; readonly arrived: () => void } => {
    const { history } = subscription;
    const matching = history.slice(start).filter((event) => isFor(subscription, event, dialect));
    const events = matching.slice(0, PAGE).map((event) => asSeenBy(subscription, event));
    const moreEvents = matching.length > PAGE;
    const next = moreEvents ? (events.at(-1)?.sequence ?? history.length) : history.length;
    const epoch = forgotten;
    const watermarkAt = (sequence = history.length): string => watermarkOf(sequence, epoch);
    return {
      page: { subscriptionId: subscription.id, previousWatermark, moreEvents, events, watermarkAt },
      arrived: () => (subscription.cursor = next),
    };
  };

  /** What is asked for, and removed by asking, is not posted. */
  const findPolled = (id: string, code: string, message: string): Held => {
    const subscription = find(id, code, message);
    if (subscription.kind !== 'push') return subscription;
    throw new EwsRefusal(
      'error',
      'ErrorInvalidPullSubscriptionId',
      'The subscription is a push subscription.',
    );
  };

  return {
    get held() {
      dropExpired();
      return [...held.values()];
    },
    subscribe: (request, impersonated) => {
      dropExpired();
      const mailbox =
        request.folders?.find((folder) => folder.mailbox !== undefined)?.mailbox ?? impersonated?.name;
      checkPlace(mailbox);
      const watched = mailboxOf(mailbox);
      const { history } = watched;
      const folders = foldersOf(request, watched);
      const cursor =
        dialect === 'exchange' && request.watermark !== undefined
          ? startOf(request.watermark, history)
          : history.length;
      if (held.size >= maxSubscriptions) {
        throw new EwsRefusal(
          'error',
          'ErrorExceededSubscriptionCount',
          'You have exceeded the available subscriptions for your account.',
        );
      }
      const { kind, events, timeoutMinutes } = request;
      const id = subscriptionIdOf(dialect, starts, ++made);
      const expiresAt = asyncScheduler.now() + timeoutMinutes * 60_000;
      const subscription = { id, kind, folders, events, timeoutMinutes, expiresAt, impersonated, mailbox };
      held.set(id, { ...subscription, cursor, history });
      return { id, watermark: watermarkOf(cursor, forgotten) };
    },
    getEvents: (id, watermark) => {
      const subscription =
        dialect === 'exchange'
          ? findPolled(id, 'ErrorSubscriptionNotFound', 'The specified subscription was not found.')
          : findPolled(id, 'ErrorInvalidSubscription', 'The subscription is invalid.');
      const start = dialect === 'exchange' ? startOf(watermark, subscription.history) : subscription.cursor;
      const { page, arrived } = pageFrom(subscription, start, watermark);
      arrived();
      subscription.expiresAt = asyncScheduler.now() + subscription.timeoutMinutes * 60_000;
      return page;
    },
    toPost: (id, unanswered) => {
      const subscription = held.get(id);
      if (subscription === undefined) return undefined;
      const { cursor } = subscription;
      const { page, arrived } = pageFrom(subscription, cursor, watermarkOf(cursor, forgotten));
      if (unanswered === undefined) return { page, arrived };
      const { previousWatermark, watermarkAt } = unanswered;
      return { page: { ...page, previousWatermark, watermarkAt }, arrived };
    },
    refusalOf: (id, impersonated) => {
      const subscription = held.get(id);
      if (subscription?.kind !== 'streaming' || subscription.expiresAt <= asyncScheduler.now()) return GONE;
      // Exchange lets an account that may impersonate read for all whom it has subscribed for.
      const isOthers = impersonated !== undefined && subscription.impersonated?.name !== impersonated.name;
      if (dialect === 'grommunio' && isOthers) return GONE;
      return moving.has(subscription.mailbox) ? MOVING : undefined;
    },
    attached: (id) => {
      const subscription = held.get(id);
      if (subscription !== undefined) subscription.expiresAt = Infinity;
    },
    detached: (id) => {
      const subscription = held.get(id);
      if (subscription === undefined) return;
      subscription.expiresAt = asyncScheduler.now() + subscription.timeoutMinutes * 60_000;
    },
    handOut: (id) => {
      const subscription = held.get(id);
      if (subscription === undefined) return [];
      const { history } = subscription;
      const matching = history
        .slice(subscription.cursor)
        .filter((event) => isFor(subscription, event, dialect));
      subscription.cursor = history.length;
      return matching.map((event) => asSeenBy(subscription, event));
    },
    unsubscribe: (id) => {
      held.delete(
        findPolled(id, 'ErrorSubscriptionNotFound', 'The specified subscription was not found.').id,
      );
    },
    expire: (id) => {
      if (id === undefined) held.clear();
      else held.delete(id);
    },
    restart: () => {
      held.clear();
      starts += 1;
      made = 0;
    },
    forgetHistory: () => {
      forgotten += 1;
    },
    beginMove: (mailbox) => {
      moving.add(mailbox);
    },
    endMove: (mailbox) => {
      moving.delete(mailbox);
      for (const subscription of held.values()) {
        if (subscription.mailbox === mailbox) held.delete(subscription.id);
      }
    },
  };
}
