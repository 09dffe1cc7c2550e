import { asyncScheduler, Observable, type Subscriber, type Subscription, timer } from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import {
  bySender,
  type QueuedEvent,
  type SimulatedEvent,
  type SimulatedLink,
  type EventPriority,
} from './events.ts';
import { type SimulatedResponse, APPLICATION_NOT_FOUND, P_GET_REPLACED, errorResponse } from './responses.ts';

/** What a client asks for with a request for events; the times are in seconds. */
interface ChannelParameters {
  readonly low?: number;
  readonly medium?: number;
  readonly timeout?: number;
  readonly priority: number;
}

/** What a client may ask for; undefined where it asks for what is not allowed. [EventChannelDetails] */
function parametersIn(query: URLSearchParams): ChannelParameters | undefined {
  const parameters: Record<string, number> = {};
  for (const [name, least] of [
    ['low', 5],
    ['medium', 5],
    ['timeout', 180],
  ] as const) {
    const text = query.get(name);
    if (text === null) continue;
    const value = Number(text);
    if (!(value >= least && value <= 1800)) return undefined;
    parameters[name] = value;
  }
  const priority = Number(query.get('priority') ?? 0);
  return Number.isInteger(priority) && priority >= 0 ? { ...parameters, priority } : undefined;
}

/** How the events of one application wait for its client. */
export interface EventQueueOptions {
  /** The path of the channel. */
  readonly href: string;
  /** How the query parameter is called that carries the cursor. */
  readonly cursorParameter: string;
  /** How long a second of the server lasts, in milliseconds. */
  readonly secondMs: number;
  readonly lowSeconds: number;
  readonly mediumSeconds: number;
  readonly timeoutSeconds: number;
  /** Lets everything happen that is due by now; returns when the next is, if anything is. */
  readonly expireDue: () => number | undefined;
}

/** The events of one application. */
export interface EventQueue {
  /** The link to the events that come next. */
  readonly link: string;
  /** Since when no client waits here; undefined while one does. */
  readonly idleSince: number | undefined;
  push(sender: SimulatedLink, event: SimulatedEvent, priority: EventPriority): void;
  /** A pending GET: emits one answer, as soon as there are events, or the time is over. */
  poll(request: HttpRequest): Observable<SimulatedResponse>;
  /** Tells the client with the next answer that state or events were lost. */
  reset(kind: 'resume' | 'resync'): void;
  /** Looks again whether somebody who waits can be answered. */
  respondIfDue(): void;
  /** The application is gone: who waits is told so. */
  end(): void;
  /** The server goes down: who waits loses the connection. */
  breakConnection(): void;
}

interface PendingGet {
  readonly subscriber: Subscriber<SimulatedResponse>;
  readonly request: HttpRequest;
  readonly priority: number;
  readonly since: number;
  timer: Subscription | undefined;
}

/** Creates the event queue of one application. */
export function eventQueue(options: EventQueueOptions): EventQueue {
  const { href, cursorParameter, secondMs } = options;
  const seconds = { low: options.lowSeconds, medium: options.mediumSeconds, timeout: options.timeoutSeconds };
  let queue: QueuedEvent[] = [];
  /** Of these, the last about each thing. */
  let latest = new Map<string, QueuedEvent>();
  /** The number of the answer that comes next, or that was sent and is not acknowledged. */
  let number = 1;
  let sent: SimulatedResponse | undefined;
  let reset: 'resume' | 'resync' | undefined;
  let waiting: PendingGet | undefined;
  let idleSince: number | undefined = asyncScheduler.now();

  const link = (ack: number): string => `${href}?${cursorParameter}=${ack}`;

  const settleWith = (who: PendingGet, response: SimulatedResponse): void => {
    waiting = undefined;
    idleSince = asyncScheduler.now();
    who.timer?.unsubscribe();
    who.subscriber.next(response);
    who.subscriber.complete();
  };

  const answerWith = (events: readonly QueuedEvent[]): SimulatedResponse => {
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
    const who = waiting;
    if (who === undefined) return;
    const now = asyncScheduler.now();
    const timeoutAt = who.since + seconds.timeout * secondMs;
    const wakeAt = Math.min(timeoutAt, ...queue.map(dueAt));
    if (reset !== undefined || wakeAt <= now) {
      // A resync stands alone: what waited is lost.
      const events = reset === 'resync' ? [] : queue;
      queue = [];
      latest = new Map();
      settleWith(who, answerWith(events));
      return;
    }
    who.timer?.unsubscribe();
    who.timer = timer(Math.min(wakeAt, next ?? wakeAt) - now).subscribe(respondIfDue);
  };

  /** Not those of a request that is refused: of two that crossed on their way, it is the older one. */
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
    if (waiting !== undefined && waiting.priority > priority) {
      subscriber.next(P_GET_REPLACED);
      subscriber.complete();
      return;
    }
    remember(parameters);
    if (waiting !== undefined) settleWith(waiting, P_GET_REPLACED);
    const who: PendingGet = { subscriber, request, priority, since: asyncScheduler.now(), timer: undefined };
    waiting = who;
    idleSince = undefined;
    subscriber.add(() => {
      who.timer?.unsubscribe();
      if (waiting !== who) return;
      waiting = undefined;
      idleSince = asyncScheduler.now();
    });
    respondIfDue();
  };

  /** Takes the acknowledgement; returns what can be answered at once. */
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
      // Several changes of one thing that wait together are one event, which tells of the last.
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
    reset: (kind) => {
      reset = kind;
      respondIfDue();
    },
    respondIfDue,
    end: () => {
      if (waiting !== undefined) settleWith(waiting, APPLICATION_NOT_FOUND);
    },
    breakConnection: () => {
      const who = waiting;
      waiting = undefined;
      who?.subscriber.error(new NetworkError('no response', who.request, { code: 'ECONNRESET' }));
    },
  };
}
