import { concatMap, from, ignoreElements, type Observable, timer } from 'rxjs';
import type { Playground, PlaygroundCommand } from '../playground.ts';

/** A step of a scenario. */
interface Step {
  /** The time since the last step, in milliseconds. */
  readonly afterMs: number;
  readonly run: PlaygroundCommand;
}

/** A list of commands that shows one thing. */
export interface Scenario {
  /** The name in the URL of the page: `#scenario=NAME`. */
  readonly name: string;
  readonly title: string;
  /** The thing to see, in one or two sentences. */
  readonly about: string;
  readonly steps: readonly Step[];
}

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const ALFRED = 'sip:alfred@contoso.com';

const after = (afterMs: number, run: PlaygroundCommand): Step => ({ afterMs, run });
const busy = (uri: string, availability = 'Busy'): PlaygroundCommand => ({
  do: 'setPresence',
  uri,
  availability,
});

/** The scenarios, by their names. The first one is that of a page without a scenario in its URL. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'subscribe-and-unsubscribe',
    title: 'Subscribe and unsubscribe',
    about:
      'Two streams create a subscription each, and emit the events of the server. When they are unsubscribed, ' +
      'both subscriptions are removed, and the servers have nothing left.',
    steps: [
      after(500, { do: 'subscribe', to: 'presenceBoard' }),
      after(1500, { do: 'subscribe', to: 'pullNotifications' }),
      after(2500, busy(SARA)),
      after(1500, { do: 'deliverMail' }),
      after(1500, busy(BOB, 'Away')),
      after(4000, { do: 'unsubscribe', stream: 'UCWA 1' }),
      after(1500, { do: 'unsubscribe', stream: 'EWS 1' }),
    ],
  },
  {
    name: 'mid-acquire',
    title: 'Unsubscribe while the request is in flight',
    about:
      'The request that creates a subscription is not aborted: its late response is released at once. If the ' +
      'response is lost, the ledger records Unknown, and the time after which the server removes it.',
    steps: [
      after(500, { do: 'subscribe', to: 'presence', uris: [SARA] }),
      after(3000, { do: 'unsubscribeMidAcquire', to: 'presence' }),
      after(3000, { do: 'unsubscribeMidAcquire', to: 'pullNotifications' }),
      after(3000, { do: 'loseResponse' }),
      after(200, { do: 'unsubscribeMidAcquire', to: 'pullNotifications' }),
      after(4000, { do: 'unsubscribe', stream: 'UCWA 1' }),
    ],
  },
  {
    name: 'network',
    title: 'The network goes away',
    about:
      'The status becomes waiting, and one probe tests the server for all streams. The release of the stream ' +
      'that is unsubscribed meanwhile is retried until the network is back. A stream that may have missed ' +
      'events emits a gap.',
    steps: [
      after(500, { do: 'subscribe', to: 'presenceBoard' }),
      after(300, { do: 'subscribe', to: 'streamingNotifications' }),
      after(300, { do: 'subscribe', to: 'pullNotifications' }),
      after(3500, { do: 'cutNetwork' }),
      after(1500, busy(SARA)),
      after(500, { do: 'deliverMail' }),
      after(2000, { do: 'unsubscribe', stream: 'EWS 2' }),
      after(4000, { do: 'restoreNetwork' }),
      after(9000, { do: 'unsubscribe', stream: 'UCWA 1' }),
      after(500, { do: 'unsubscribe', stream: 'EWS 1' }),
    ],
  },
  {
    name: 'forgotten',
    title: 'The server forgets everything',
    about:
      'The server loses all subscriptions, and later restarts. Each stream creates its subscription again, and ' +
      'emits a gap, because events may be missing at that position.',
    steps: [
      after(500, { do: 'subscribe', to: 'presence', uris: [SARA, BOB] }),
      after(300, { do: 'subscribe', to: 'pullNotifications' }),
      after(4000, { do: 'forgetEverything' }),
      after(6000, busy(SARA)),
      after(500, { do: 'deliverMail' }),
      after(4000, { do: 'restartServer' }),
      after(8000, { do: 'unsubscribe', stream: 'UCWA 1' }),
      after(500, { do: 'unsubscribe', stream: 'EWS 1' }),
    ],
  },
  {
    name: 'shared',
    title: 'Two boards, one subscription',
    about:
      'Both boards subscribe to one Observable, so the server has one subscription. When the list of contacts ' +
      'changes, only the difference is sent. The last board that is unsubscribed releases the subscription.',
    steps: [
      after(500, { do: 'subscribe', to: 'sharedBoard' }),
      after(2000, { do: 'subscribe', to: 'sharedBoard' }),
      after(2000, busy(SARA)),
      after(2000, { do: 'setContacts', uris: [SARA, BOB] }),
      after(2500, { do: 'setContacts', uris: [SARA, BOB, ALFRED, 'sip:grace@contoso.com'] }),
      after(2500, busy('sip:grace@contoso.com')),
      after(2000, { do: 'unsubscribe', stream: 'UCWA 1' }),
      after(2000, { do: 'unsubscribe', stream: 'UCWA 2' }),
    ],
  },
];

/** Returns an Observable that runs the steps of a scenario, and completes after the last one. */
export function runScenario({ steps }: Scenario, playground: Pick<Playground, 'run'>): Observable<never> {
  return from(steps).pipe(
    concatMap(({ afterMs, run }) => timer(afterMs).pipe(concatMap(() => playground.run(run)))),
    ignoreElements(),
  );
}
