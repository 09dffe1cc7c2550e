import type { Observable } from 'rxjs';
import type { EwsEvent, GapEvent } from '../../../lib/ews/protocol/events.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import { streamingNotifications, type StreamingOptions } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { type Pulling, pulling } from '../pull/pulling.ts';

/** {@link Pulling} with streams. */
export interface Streaming extends Pulling {
  /** A stream of new, created and modified items in the inbox. */
  readonly stream: (options?: Partial<StreamingOptions>) => Observable<EwsEvent>;
}

/** Runs a spec of streams against a simulator in virtual time, like {@link pulling}. */
export function streaming(
  script: (streaming: Streaming) => void,
  options: EwsSimulatorOptions = {},
  serviceOptions: Partial<ExchangeOptions> = {},
): Pulling {
  return pulling(
    (run) =>
      script({
        ...run,
        stream: (more = {}) =>
          streamingNotifications(run.exchange, {
            folders: ['inbox'],
            events: ['created', 'newMail', 'modified'],
            ...more,
          }),
      }),
    options,
    serviceOptions,
  );
}

/** The values seen, without `status`. */
export function newsOf({ seen }: Pulling): string[] {
  return seen.filter((line) => !line.endsWith(' status'));
}

/** The gaps that were emitted. */
export function gapsOf({ events }: Pulling): GapEvent[] {
  return events.filter((event) => event.type === 'gap');
}

/** The second and the number of subscriptions of each GetStreamingEvents request. */
export function connectionsOf({ server }: Pulling): string[] {
  return server.requests
    .filter(({ operation }) => operation === 'GetStreamingEvents')
    .map(({ time, subscriptionIds }) => `${time / 1000} ×${subscriptionIds?.length ?? 0}`);
}
