import type { Observable } from 'rxjs';
import type { EwsEvent, GapEvent } from '../../../lib/ews/protocol/events.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { StreamingOptions } from '../../../lib/ews/streaming/options.ts';
import type { EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { type Pulling, pulling } from '../pull/pulling.ts';

/** What a spec of streams in virtual time works with. */
export interface Streaming extends Pulling {
  /** A stream of new mail, created and modified, in the inbox. */
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
          streamingNotifications(run.service, {
            folders: ['inbox'],
            events: ['created', 'newMail', 'modified'],
            ...more,
          }),
      }),
    options,
    serviceOptions,
  );
}

/** What of the things that were seen is no mere sign of life. */
export function newsOf({ seen }: Pulling): string[] {
  return seen.filter((line) => !line.endsWith(' status'));
}

/** The gaps that were told. */
export function gapsOf({ events }: Pulling): GapEvent[] {
  return events.filter((event) => event.type === 'gap');
}

/** The second and the subscriptions of each connection that was asked for. */
export function connectionsOf({ server }: Pulling): string[] {
  return server.requests
    .filter(({ operation }) => operation === 'GetStreamingEvents')
    .map(({ time, subscriptionIds }) => `${time / 1000} ×${subscriptionIds?.length ?? 0}`);
}
