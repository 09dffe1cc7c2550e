import {
  asyncScheduler,
  auditTime,
  delay,
  distinctUntilChanged,
  filter,
  map,
  merge,
  Subject,
  takeUntil,
  timer,
} from 'rxjs';
import { bearer } from '../../core/auth/auth.ts';
import type { RetryPolicy } from '../../core/backoff/withRetry.ts';
import { connectExchange } from '../../ews/connect.ts';
import { ewsSimulator, type EwsSimulator } from '../../testing/ews/simulator.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../testing/ucwa/simulator.ts';
import { connectUcwa } from '../../ucwa/connect.ts';
import type { Playground, PlaygroundCommand } from '../playground.ts';
import type { InspectorRecord, ServerRecord, ServerResource } from '../records.ts';
import { isAcquire, simulatedNetwork } from './network.ts';
import { playgroundStreams } from './streams.ts';

/** Options of {@link simulatedPlayground}. @inline */
export interface SimulatedPlaygroundOptions {
  /** The round trip, in milliseconds. @default 400: slow enough to see it */
  readonly latencyMs?: number;
}

/** The contacts of a playground. */
export const CONTACTS: readonly string[] = [
  'sip:sara@contoso.com',
  'sip:bob@contoso.com',
  'sip:alfred@contoso.com',
];

const WATCHED = { folders: ['inbox'], events: ['newMail'] } as const;

/** Short waits, always the same, so that a scenario has one course. */
const RETRY: RetryPolicy = { maxMs: 4000, random: () => 0.5 };

/** How long the servers may be ahead of the records about them, in milliseconds. */
const SERVER_MS = 50;
/** How often a server is read when nothing happens: subscriptions expire silently. */
const EXPIRY_MS = 1000;

/** Creates a playground with two connections to simulated servers, and a network that can be cut. */
export function simulatedPlayground({ latencyMs = 400 }: SimulatedPlaygroundOptions = {}): Playground {
  const network = simulatedNetwork();
  const servers = {
    UCWA: ucwaSimulator({ mediumSeconds: 0.5, latencyMs }),
    EWS: ewsSimulator({ latencyMs }),
  };
  const { UCWA, EWS } = servers;
  const streams = playgroundStreams(
    {
      ucwa: connectUcwa({
        server: UCWA.url,
        auth: bearer('playground'),
        transport: network.through(UCWA.transport),
        retry: RETRY,
      }),
      exchange: connectExchange({
        server: EWS.url,
        transport: network.through(EWS.transport),
        retry: RETRY,
      }),
      uris: CONTACTS,
      watched: WATCHED,
      pollIntervalSeconds: 5,
    },
    network.sent$.pipe(filter(isAcquire), delay(latencyMs / 4)),
  );
  const presence: Record<string, string> = Object.fromEntries(CONTACTS.map((uri) => [uri, 'Offline']));
  let mail = 0;

  const commands: Readonly<{
    [Name in PlaygroundCommand['do']]?: (command: Extract<PlaygroundCommand, { readonly do: Name }>) => void;
  }> = {
    setPresence: ({ uri, availability }) => {
      UCWA.setPresence(uri, { availability });
      presence[uri] = availability;
    },
    deliverMail: () => {
      mail += 1;
      EWS.deliverMail();
    },
    cutNetwork: network.cut,
    restoreNetwork: network.restore,
    restartServer: () => {
      UCWA.restart();
      EWS.restart();
    },
    forgetEverything: () => {
      UCWA.reset('resume');
      EWS.expire();
      EWS.forgetHistory();
    },
    loseResponse: network.loseResponse,
  };

  const closed = new Subject<void>();
  const changed = new Subject<void>();
  const ofConnections$ = streams.records$.pipe(filter(({ type }) => type !== 'server'));
  let seq = 0;
  const stateOf = (connection: 'UCWA' | 'EWS'): Omit<ServerRecord, 'at' | 'seq'> => ({
    ...{ type: 'server', connection, isReachable: network.isUp },
    ...(connection === 'UCWA'
      ? { resources: ucwaResources(UCWA), presence: { ...presence } }
      : { resources: ewsResources(EWS), mail }),
  });
  for (const connection of ['UCWA', 'EWS'] as const)
    merge(ofConnections$, changed, timer(0, EXPIRY_MS).pipe(takeUntil(closed)))
      .pipe(
        auditTime(SERVER_MS),
        map(() => stateOf(connection)),
        distinctUntilChanged((one, other) => JSON.stringify(one) === JSON.stringify(other)),
      )
      .subscribe((state) => {
        seq += 1;
        streams.emit({ ...state, seq, at: asyncScheduler.now() } satisfies InspectorRecord);
      });

  return {
    records$: streams.records$,
    commands: [
      'subscribe',
      'unsubscribe',
      'unsubscribeMidAcquire',
      'setContacts',
      ...(Object.keys(commands) as PlaygroundCommand['do'][]),
    ],
    streams: streams.names,
    run: async (command) => {
      const act = Object.hasOwn(commands, command.do) ? commands[command.do] : undefined;
      if (!streams.run(command) && act === undefined) throw new Error(`Unknown command: ${command.do}.`);
      // The compiler cannot relate the command to its function.
      (act as ((command: PlaygroundCommand) => void) | undefined)?.(command);
      changed.next();
      await Promise.resolve();
    },
    close: async () => {
      closed.next();
      network.restore();
      await streams.close();
      changed.complete();
    },
  };
}

function ucwaResources({ applications, presenceSubscriptions }: UcwaSimulator): readonly ServerResource[] {
  return [
    ...applications.map(({ id }) => ({ resource: 'application', id, detail: '' })),
    ...presenceSubscriptions.map(({ id, uris }) => ({
      ...{ resource: 'presenceSubscription', id },
      detail: uris.join(', '),
    })),
  ];
}

const EWS_RESOURCES = {
  pull: 'PullSubscription',
  streaming: 'StreamingSubscription',
  push: 'PushSubscription',
} as const;

function ewsResources({ subscriptions }: EwsSimulator): readonly ServerResource[] {
  return subscriptions.map(({ id, type, events }) => ({
    ...{ resource: EWS_RESOURCES[type], id },
    // The server knows its folders by opaque ids.
    detail: `${WATCHED.folders.join(', ')}: ${events.join(', ')}`,
  }));
}
