import { asyncScheduler, Observable, type Subscriber, type Subscription, timer } from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { type SimulatedResponse, APPLICATION_NOT_FOUND, P_GET_REPLACED, errorResponse } from './responses.ts';

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

/** The parameters of a request for events; times are in seconds. */
interface ChannelParameters {
  readonly low?: number;
  readonly medium?: number;
  readonly timeout?: number;
  readonly priority: number;
}

/**
 * Returns the parameters of a request; undefined if one is out of range.
 *
 * @see [MS-UCWA] EventChannelDetails
 */
function parametersIn(query: URLSearchParams): ChannelParameters | undefined {
  const parameters: Record<string, number> = {};
  for (const [name, min] of [
    ['low', 5],
    ['medium', 5],
    ['timeout', 180],
  ] as const) {
    const text = query.get(name);
    if (text === null) continue;
    const value = Number(text);
    if (!(value >= min && value <= 1800)) return undefined;
    parameters[name] = value;
  }
  const priority = Number(query.get('priority') ?? 0);
  return Number.isInteger(priority) && priority >= 0 ? { ...parameters, priority } : undefined;
}

/** The options of the event queue of an application. */
export interface EventQueueOptions {
  /** The path of the channel. */
  readonly href: string;
  /** The name of the query parameter with the cursor. */
  readonly cursorParameter: string;
  /** The length of a second of the server, in milliseconds. */
  readonly secondMs: number;
  readonly lowSeconds: number;
  readonly mediumSeconds: number;
  readonly timeoutSeconds: number;
  /** Expires everything that is due, and returns the time of the next expiry, if any. */
  readonly expireDue: () => number | undefined;
}

/** The event queue of an application. */
export interface EventQueue {
  /** The link to the next events. */
  readonly link: string;
  /** The time since which there is no pending GET; undefined while there is one. */
  readonly idleSince: number | undefined;
  push(sender: SimulatedLink, event: SimulatedEvent, priority: EventPriority): void;
  /** Executes a pending GET, which emits one response when there are events or it times out. */
  poll(request: HttpRequest): Observable<SimulatedResponse>;
  /** Reports a loss of state or of events with the next response. */
  reset(rel: 'resume' | 'resync'): void;
  /** Responds to the pending GET if that is due. */
  respondIfDue(): void;
  /** Responds to the pending GET that the application is gone. */
  end(): void;
  /** Breaks the connection of the pending GET. */
  breakConnection(): void;
}

interface PendingGet {
  readonly subscriber: Subscriber<SimulatedResponse>;
  readonly request: HttpRequest;
  readonly priority: number;
  readonly since: number;
  timer: Subscription | undefined;
}

/** Creates the event queue of an application. */
export function eventQueue(options: EventQueueOptions): EventQueue {
  const { href, cursorParameter, secondMs } = options;
  const seconds = { low: options.lowSeconds, medium: options.mediumSeconds, timeout: options.timeoutSeconds };
  let queue: QueuedEvent[] = [];
  /** The last queued event about each href. */
  let latest = new Map<string, QueuedEvent>();
  /** The number of the next response, or of the one that is not acknowledged. */
  let number = 1;
  let sent: SimulatedResponse | undefined;
  let reset: 'resume' | 'resync' | undefined;
  let pendingGet: PendingGet | undefined;
  let idleSince: number | undefined = asyncScheduler.now();

  const link = (ack: number): string => `${href}?${cursorParameter}=${ack}`;

  const respondWith = (get: PendingGet, response: SimulatedResponse): void => {
    pendingGet = undefined;
    idleSince = asyncScheduler.now();
    get.timer?.unsubscribe();
    get.subscriber.next(response);
    get.subscriber.complete();
  };

  const takeResponse = (events: readonly QueuedEvent[]): SimulatedResponse => {
    const rel = reset ?? 'next';
    reset = undefined;
    sent = {
      status: 200,
      body: {
        _links: { self: { href: link(number) }, [rel]: { href: link(number + 1) } },
        ...(events.length === 0 ? {} : { sender: bySender(events) }),
      },
    };
    return sent;
  };

  const dueAt = ({ at, priority }: QueuedEvent): number =>
    priority === 'high' ? at : at + seconds[priority] * secondMs;

  const respondIfDue = (): void => {
    const next = options.expireDue();
    const get = pendingGet;
    if (get === undefined) return;
    const now = asyncScheduler.now();
    const timeoutAt = get.since + seconds.timeout * secondMs;
    const wakeAt = Math.min(timeoutAt, ...queue.map(dueAt));
    if (reset !== undefined || wakeAt <= now) {
      // A resync has no events: the queued ones are lost.
      const events = reset === 'resync' ? [] : queue;
      queue = [];
      latest = new Map();
      respondWith(get, takeResponse(events));
      return;
    }
    get.timer?.unsubscribe();
    get.timer = timer(Math.min(wakeAt, next ?? wakeAt) - now).subscribe(respondIfDue);
  };

  /**
   * Keeps the parameters of accepted requests only: of two that crossed on the way, the rejected one is
   * older.
   */
  const remember = ({ low, medium, timeout }: ChannelParameters): void => {
    if (low !== undefined) seconds.low = low;
    if (medium !== undefined) seconds.medium = medium;
    if (timeout !== undefined) seconds.timeout = timeout;
  };

  const wait = (
    subscriber: Subscriber<SimulatedResponse>,
    request: HttpRequest,
    parameters: ChannelParameters,
  ): void => {
    const { priority } = parameters;
    if (pendingGet !== undefined && pendingGet.priority > priority) {
      subscriber.next(P_GET_REPLACED);
      subscriber.complete();
      return;
    }
    remember(parameters);
    if (pendingGet !== undefined) respondWith(pendingGet, P_GET_REPLACED);
    const get: PendingGet = { subscriber, request, priority, since: asyncScheduler.now(), timer: undefined };
    pendingGet = get;
    idleSince = undefined;
    subscriber.add(() => {
      get.timer?.unsubscribe();
      if (pendingGet !== get) return;
      pendingGet = undefined;
      idleSince = asyncScheduler.now();
    });
    respondIfDue();
  };

  /** Handles the acknowledgement, and returns a response that is available immediately. */
  const acknowledge = (ack: number): SimulatedResponse | undefined => {
    if (sent !== undefined && ack === number) return sent;
    if (sent !== undefined && ack === number + 1) {
      sent = undefined;
      number = ack;
      return undefined;
    }
    if (ack === number) return undefined;
    return { status: 200, body: { _links: { self: { href: link(ack) }, resync: { href: link(number) } } } };
  };

  return {
    get link() {
      return link(number);
    },
    get idleSince() {
      return idleSince;
    },
    push: (sender, event, priority) => {
      const last = latest.get(event.link.href);
      // Several queued changes of one resource become one event with the last state.
      if (event.type === 'updated' && last?.event.type === 'updated') {
        last.event = event;
        return;
      }
      const queued = { sender, event, priority, at: asyncScheduler.now() };
      queue.push(queued);
      latest.set(event.link.href, queued);
    },
    poll: (request) =>
      new Observable((subscriber) => {
        const query = new URL(request.url).searchParams;
        const parameters = parametersIn(query);
        if (parameters === undefined) {
          subscriber.next(errorResponse(400, 'BadRequest', 'ParameterValidationFailure'));
          subscriber.complete();
          return;
        }
        const response = acknowledge(Number(query.get(cursorParameter) ?? Number.NaN));
        if (response === undefined) wait(subscriber, request, parameters);
        else {
          if (response === sent) remember(parameters);
          idleSince = asyncScheduler.now();
          subscriber.next(response);
          subscriber.complete();
        }
      }),
    reset: (rel) => {
      reset = rel;
      respondIfDue();
    },
    respondIfDue,
    end: () => {
      if (pendingGet !== undefined) respondWith(pendingGet, APPLICATION_NOT_FOUND);
    },
    breakConnection: () => {
      const get = pendingGet;
      pendingGet = undefined;
      get?.subscriber.error(new NetworkError('no response', get.request, { code: 'ECONNRESET' }));
    },
  };
}
