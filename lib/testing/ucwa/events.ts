/** The priority of an event, which limits how long it is aggregated. @see [MS-UCWA] EventsInUCWA @inline */
export type EventPriority = 'high' | 'medium' | 'low';

/** An event of the server. @inline */
export interface SimulatedEvent {
  /** Such as `updated`. */
  readonly type: string;
  /** The link to the resource of the event. */
  readonly link: SimulatedLink;
  /** The link to its collection or parent. */
  readonly in?: SimulatedLink;
  /** The embedded resources by name. */
  readonly _embedded?: Readonly<Record<string, object>>;
  /** The result of an operation. */
  readonly status?: string;
  /** The reason of the result. */
  readonly reason?: object;
}

/** A link of the server. @inline */
export interface SimulatedLink {
  /** The link relation. */
  readonly rel: string;
  /** Absolute or relative. */
  readonly href: string;
  /** A display name. */
  readonly title?: string;
}

/** An event in the queue. */
export interface QueuedEvent {
  readonly sender: SimulatedLink;
  event: SimulatedEvent;
  readonly priority: EventPriority;
  readonly at: number;
}

/** Groups consecutive events of one sender, and keeps their order. */
export function bySender(queued: readonly QueuedEvent[]): object[] {
  const senders: (SimulatedLink & { events: SimulatedEvent[] })[] = [];
  for (const { sender, event } of queued) {
    const last = senders.at(-1);
    if (last?.href === sender.href) last.events.push(event);
    else senders.push({ ...sender, events: [event] });
  }
  return senders;
}
