import { asyncScheduler } from 'rxjs';
import { EVENT_NAMES } from '../ews/eventNames.ts';
import { type EwsDialect, EwsRefusal, sequenceOf, subscriptionIdOf, watermarkOf } from './ewsDialect.ts';
import type { Mailbox, MailboxEvent } from './ewsMailbox.ts';
import type { EwsRequest, ImpersonatedUser } from './ewsRequests.ts';

/** A subscription that a simulated server holds. */
export interface HeldEwsSubscription {
  readonly id: string;
  readonly kind: 'pull' | 'streaming';
  /** Ids of the watched folders; undefined for all. */
  readonly folders: readonly string[] | undefined;
  /** The elements of the events, such as `NewMailEvent`. */
  readonly events: readonly string[];
  readonly timeoutMinutes: number;
  /** When it ends if it is not asked before, in milliseconds of the scheduler's clock; never while it streams. */
  readonly expiresAt: number;
  readonly impersonated: ImpersonatedUser | undefined;
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
  /** Whether there is such a streaming subscription, and if told of whom, it is theirs. */
  holds(id: string, impersonated?: ImpersonatedUser): boolean;
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
}

interface Held extends HeldEwsSubscription {
  expiresAt: number;
  /** How far the events were handed out, for a server that goes by that. */
  cursor: number;
}

/** How many events one answer holds at most. */
const PAGE = 50;
const OF_ITEMS_IN_FOLDERS = new Set(['created', 'newMail']);

/** Creates the subscriptions of a server, of which there are none yet. */
export function subscriptionStore(
  mailbox: Mailbox,
  dialect: EwsDialect,
  maxSubscriptions: number,
): SubscriptionStore {
  const held = new Map<string, Held>();
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
    return subscription;
  };

  const startOf = (watermark: string): number => {
    const sequence = sequenceOf(watermark, forgotten);
    if (sequence === undefined || sequence > mailbox.history.length) {
      throw new EwsRefusal(
        'error',
        'ErrorInvalidWatermark',
        'The watermark used for this subscription was not found.',
      );
    }
    return sequence;
  };

  const foldersOf = ({
    folders,
    allFolders,
  }: Extract<EwsRequest, { operation: 'Subscribe' }>): readonly string[] | undefined => {
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

  const end = (): number => mailbox.history.length;

  return {
    get held() {
      dropExpired();
      return [...held.values()];
    },
    subscribe: (request, impersonated) => {
      dropExpired();
      const folders = foldersOf(request);
      const cursor =
        dialect === 'exchange' && request.watermark !== undefined ? startOf(request.watermark) : end();
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
      held.set(id, { id, kind, folders, events, timeoutMinutes, expiresAt, impersonated, cursor });
      return { id, watermark: watermarkOf(cursor, forgotten) };
    },
    getEvents: (id, watermark) => {
      const subscription =
        dialect === 'exchange'
          ? find(id, 'ErrorSubscriptionNotFound', 'The specified subscription was not found.')
          : find(id, 'ErrorInvalidSubscription', 'The subscription is invalid.');
      const start = dialect === 'exchange' ? startOf(watermark) : subscription.cursor;
      const matching = mailbox.history.slice(start).filter((event) => isFor(subscription, event, dialect));
      const events = matching.slice(0, PAGE).map((event) => asSeenBy(subscription, event));
      const moreEvents = matching.length > PAGE;
      subscription.cursor = moreEvents ? (events.at(-1)?.sequence ?? end()) : end();
      subscription.expiresAt = asyncScheduler.now() + subscription.timeoutMinutes * 60_000;
      return {
        subscriptionId: id,
        previousWatermark: watermark,
        moreEvents,
        events,
        watermarkAt: (sequence) => watermarkOf(sequence ?? end(), forgotten),
      };
    },
    holds: (id, impersonated) => {
      dropExpired();
      const subscription = held.get(id);
      if (subscription?.kind !== 'streaming') return false;
      return impersonated === undefined || subscription.impersonated?.name === impersonated.name;
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
      const matching = mailbox.history
        .slice(subscription.cursor)
        .filter((event) => isFor(subscription, event, dialect));
      subscription.cursor = end();
      return matching.map((event) => asSeenBy(subscription, event));
    },
    unsubscribe: (id) => {
      held.delete(find(id, 'ErrorSubscriptionNotFound', 'The specified subscription was not found.').id);
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
  };
}

function isFor({ folders, events }: Held, event: MailboxEvent, dialect: EwsDialect): boolean {
  if (
    !events.includes(EVENT_NAMES[event.softDelete === true && folders === undefined ? 'deleted' : event.type])
  ) {
    return false;
  }
  if (folders === undefined) return true;
  if (dialect === 'grommunio' && event.item !== undefined && !OF_ITEMS_IN_FOLDERS.has(event.type))
    return false;
  return [event.folder, event.parentFolder, event.oldParentFolder].some(
    (folder) => folder !== undefined && folders.includes(folder.id),
  );
}

/** Who watches all folders sees what is put away as deleted; who watches some sees it move. */
function asSeenBy({ folders }: Held, event: MailboxEvent): MailboxEvent {
  const { oldItem, oldParentFolder, softDelete, ...rest } = event;
  if (
    softDelete !== true ||
    folders !== undefined ||
    oldItem === undefined ||
    oldParentFolder === undefined
  ) {
    return event;
  }
  return { ...rest, type: 'deleted', item: oldItem, parentFolder: oldParentFolder };
}
