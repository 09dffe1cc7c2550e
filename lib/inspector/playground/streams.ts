import { BehaviorSubject, merge, noop, type Observable, ReplaySubject, type Subscription, take } from 'rxjs';
import type { Exchange } from '../../ews/session/session.ts';
import { pullNotifications } from '../../ews/pull/pull.ts';
import { streamingNotifications } from '../../ews/streaming/streaming.ts';
import type { NotificationOptions } from '../../ews/subscription/options.ts';
import { presence } from '../../ucwa/presence/presence.ts';
import { presenceBoard } from '../../ucwa/presence/presenceBoard.ts';
import type { Ucwa } from '../../ucwa/session/session.ts';
import { inspect } from '../inspect.ts';
import type { PlaygroundCommand, SubscribeTo } from '../playground.ts';
import type { InspectorRecord } from '../records.ts';

/** The connections of a playground, and what their streams observe by default. */
export interface PlaygroundConnections {
  readonly ucwa?: Ucwa | undefined;
  readonly exchange?: Exchange | undefined;
  readonly uris: readonly string[];
  readonly watched: NotificationOptions;
  /** The time between two polls. @default that of `pullNotifications` */
  readonly pollIntervalSeconds?: number;
}

/** The streams of a playground, which it can begin and end. */
export interface PlaygroundStreams {
  /** Late subscribers receive the last 2,000 records first. */
  readonly records$: Observable<InspectorRecord>;
  readonly names: readonly SubscribeTo[];
  /** Emits a record that is not of a connection. */
  readonly emit: (record: InspectorRecord) => void;
  /** Runs a command about streams. Returns false for any other command. */
  readonly run: (command: PlaygroundCommand) => boolean;
  readonly close: () => Promise<void>;
}

const MOST_RECORDS = 2000;

/**
 * Creates the streams of a playground.
 *
 * @param midAcquire$ Emits when a request that creates a subscription is in flight.
 */
export function playgroundStreams(
  { ucwa, exchange, uris, watched, pollIntervalSeconds = 30 }: PlaygroundConnections,
  midAcquire$: Observable<unknown>,
): PlaygroundStreams {
  const records = new ReplaySubject<InspectorRecord>(MOST_RECORDS);
  const running = new Map<string, Subscription>();
  const sharedUris = new BehaviorSubject(uris);
  let latest = '';
  const connections = [ucwa, exchange].filter((one) => one !== undefined);
  merge(...connections.map((one) => inspect(one))).subscribe((record) => {
    if (record.type === 'stream' && record.state === 'subscribed') latest = record.stream;
    records.next(record);
  });

  type Make = (uris: readonly string[]) => Observable<unknown>;
  const makers: Partial<Record<SubscribeTo, Make>> = {};
  if (ucwa !== undefined) {
    const shared$ = presenceBoard(ucwa, sharedUris, { graceSeconds: 0 });
    makers.presenceBoard = (chosen) => presenceBoard(ucwa, chosen);
    makers.presence = (chosen) => presence(ucwa, { uris: chosen });
    makers.sharedBoard = () => shared$;
  }
  if (exchange !== undefined) {
    makers.pullNotifications = () => pullNotifications(exchange, { ...watched, pollIntervalSeconds });
    makers.streamingNotifications = () => streamingNotifications(exchange, watched);
  }

  const subscribe = (to: SubscribeTo, chosen: readonly string[] = uris): Subscription => {
    const make = Object.hasOwn(makers, to) ? makers[to] : undefined;
    if (make === undefined)
      throw new Error(
        `There is nothing named ${to} here: ${Object.keys(makers).join(', ')} can be subscribed to.`,
      );
    const subscription = make(chosen).subscribe({ error: noop });
    const stream = latest;
    running.set(stream, subscription);
    subscription.add(() => running.delete(stream));
    return subscription;
  };

  return {
    records$: records.asObservable(),
    names: Object.keys(makers) as SubscribeTo[],
    emit: (record) => records.next(record),
    run: (command) => {
      switch (command.do) {
        case 'subscribe':
          subscribe(command.to, command.uris);
          return true;
        case 'unsubscribe': {
          const subscription = running.get(command.stream);
          if (subscription === undefined)
            throw new Error(`${command.stream} has ended already, or never began.`);
          subscription.unsubscribe();
          return true;
        }
        case 'unsubscribeMidAcquire': {
          // Before the request, which may be sent at once.
          const leaving = midAcquire$.pipe(take(1)).subscribe(() => watching?.unsubscribe());
          const watching: Subscription | undefined = subscribe(command.to);
          watching.add(leaving);
          return true;
        }
        case 'setContacts':
          sharedUris.next(command.uris);
          return true;
        default:
          return false;
      }
    },
    close: async () => {
      await Promise.all(connections.map((one) => one.close()));
      records.complete();
    },
  };
}
