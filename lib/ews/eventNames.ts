import type { SubscribableEvent } from './events.ts';

/** The element of each event that can be subscribed to. */
export const EVENT_NAMES: Readonly<Record<SubscribableEvent, string>> = {
  created: 'CreatedEvent',
  deleted: 'DeletedEvent',
  modified: 'ModifiedEvent',
  moved: 'MovedEvent',
  copied: 'CopiedEvent',
  newMail: 'NewMailEvent',
  freeBusyChanged: 'FreeBusyChangedEvent',
};

/** The events that can be subscribed to. */
export const SUBSCRIBABLE_EVENTS: readonly SubscribableEvent[] = [
  'created',
  'deleted',
  'modified',
  'moved',
  'copied',
  'newMail',
  'freeBusyChanged',
];
