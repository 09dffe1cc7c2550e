/** How long an event may wait for others. [EventsInUCWA] */
export type EventPriority = 'high' | 'medium' | 'low';

/** An event as the server sends it. */
export interface SimulatedEvent {
  /** Such as `updated`. */
  readonly type: string;
  /** What it is about. */
  readonly link: SimulatedLink;
  /** The collection or resource that it happened in. */
  readonly in?: SimulatedLink;
  /** What comes along, by name. */
  readonly _embedded?: Readonly<Record<string, object>>;
  /** How an operation ended. */
  readonly status?: string;
  /** Why. */
  readonly reason?: object;
}

/** A link as the server sends it. */
export interface SimulatedLink {
  /** What it leads to. */
  readonly rel: string;
  /** Absolute or relative. */
  readonly href: string;
  /** A name for people. */
  readonly title?: string;
}

/** An event that waits for its client. */
export interface QueuedEvent {
  readonly sender: SimulatedLink;
  event: SimulatedEvent;
  readonly priority: EventPriority;
  readonly at: number;
}

/** Events that follow one another from one sender stand together; the order stays. */
export function bySender(queued: readonly QueuedEvent[]): object[] {
  const senders: (SimulatedLink & { events: SimulatedEvent[] })[] = [];
  for (const { sender, event } of queued) {
    const last = senders.at(-1);
    if (last?.href === sender.href) last.events.push(event);
    else senders.push({ ...sender, events: [event] });
  }
  return senders;
}
