import { type Observable, timer } from 'rxjs';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import type { PushRequest } from '../../../lib/ews/push/pushRequest.ts';
import { pushNotifications, type PushOptions } from '../../../lib/ews/push/push.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import type { EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { type FaultQueue, faultQueue } from '../../../lib/testing/faults.ts';
import { pushCallback } from '../../../lib/testing/ews/push.ts';
import { type Pulling, pulling } from '../pull/pulling.ts';

/** A simulator that posts, and a push connection, in virtual time. */
export interface Pushing extends Pulling {
  /** The transport of the server for its posts. */
  readonly posting: FaultQueue;
  readonly incoming$: Observable<PushRequest>;
  /** A push of new mail in the inbox, with a status every minute. */
  readonly push: (options?: Partial<PushOptions>) => Observable<EwsEvent>;
  /** Whether the server has a subscription, by second. */
  readonly heldAt: (seconds: number) => void;
  readonly onServer: (readonly string[])[];
}

export const CALLBACK_URL = 'https://me.example/notified';

/** Runs a spec of pushes against a simulator in virtual time, like {@link pulling}. */
export function pushing(
  script: (pushing: Pushing) => void,
  options: EwsSimulatorOptions = {},
  serviceOptions: Partial<ExchangeOptions> = {},
): Pushing {
  const { transport, incoming$ } = pushCallback();
  const posting = faultQueue();
  const onServer: (readonly string[])[] = [];
  const more = (run: Pulling): Pushing => ({
    ...run,
    posting,
    incoming$,
    onServer,
    heldAt: (seconds) => {
      timer(seconds * 1000).subscribe(() => onServer.push(run.server.subscriptions.map(({ id }) => id)));
    },
    push: (pushed = {}) =>
      pushNotifications(
        run.exchange,
        {
          folders: ['inbox'],
          events: ['newMail'],
          callbackUrl: CALLBACK_URL,
          statusFrequencyMinutes: 1,
          ...pushed,
        },
        incoming$,
      ),
  });
  return more(
    pulling((run) => script(more(run)), { push: posting.middleware(transport), ...options }, serviceOptions),
  );
}

/** The second, the number of events, and the response of each post. */
export function postsOf({ server }: Pulling): string[] {
  return server.posts.map(
    ({ time, events, response }) => `${time / 1000} ×${events} ${response ?? 'nothing'}`,
  );
}

/** The callback URL of each Subscribe, in order. */
export function callbackUrlsOf({ server }: Pick<Pulling, 'server'>): string[] {
  return server.requests.flatMap(({ body = '' }) =>
    [...body.matchAll(/<t:URL>([^<]*)</g)].map(([, url = '']) => url.replaceAll('&#38;', '&')),
  );
}
