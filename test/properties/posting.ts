import { map, mergeMap, of } from 'rxjs';
import { type Transport } from '../../lib/index.ts';
import { readText } from '../../lib/core/transport/transport.ts';
import { faultQueue } from '../../lib/testing/faults.ts';
import { type Fault, pushCallback, type PushCallback } from '../../lib/testing/index.ts';

/** A callback URL to which the server posts, with failures on the way. */
export interface Posting extends PushCallback {
  /** The posted bodies. */
  readonly bodies: readonly string[];
  /** The subscriptions that a response ended, even if that response was lost. */
  readonly recorded: ReadonlySet<string>;
  failNext(count: number, how: Fault): void;
  clear(): void;
}

/** Creates a callback URL. */
export function posting(): Posting {
  const { transport: callback, incoming$ } = pushCallback();
  const bodies: string[] = [];
  const recorded = new Set<string>();
  const faults = faultQueue();

  const noting: Transport = (request) => {
    const { body = '' } = request;
    bodies.push(body);
    const id = /SubscriptionId(?:>|">)([^<]*)/.exec(body)?.[1];
    return callback(request).pipe(
      mergeMap((response) =>
        readText(response, 'answer').pipe(
          map((text) => {
            if (id !== undefined && text.includes('>Unsubscribe<')) recorded.add(id);
            return { ...response, body$: of(new TextEncoder().encode(text)) };
          }),
        ),
      ),
    );
  };

  return {
    ...{ bodies, recorded, incoming$ },
    transport: faults.middleware(noting),
    failNext: (count, how) => faults.failNext(count, how),
    clear: () => faults.clear(),
  };
}
