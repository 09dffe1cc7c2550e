import { identity } from 'rxjs';
import type { Limits } from '../core/limits.ts';
import { objectOption } from '../core/options.ts';
import type { Middleware } from '../core/transport.ts';
import { batches, type BatchOptions } from './batch.ts';
import type { BatchConnection } from './batchQueue.ts';
import type { LiveApplication } from './liveApplication.ts';

/** How the requests of a connection travel together. */
export type BatchingOptions = Pick<BatchOptions, 'maxParts' | 'maxOutstanding' | 'scheduler'>;

/**
 * Returns a Transport that sends requests of the same turn together, where the application has a `batch` link;
 * only those to what is on it. [BatchingRequests]
 *
 * What is removed waits for the end of the turn, for much is removed together. All else goes out at once while
 * no other waits for its answer: who asks for one thing alone does not wait.
 *
 * @param application The one that is in use, if there is one.
 */
export function batching(
  options: BatchingOptions | false,
  application: () => LiveApplication | undefined,
  limits: Limits,
  connection: BatchConnection,
): Middleware {
  if (options === false) return identity;
  const configured: BatchOptions = {
    ...objectOption('batch', options, { maxParts: 1, maxOutstanding: 1, scheduler: 1 }),
    limits,
    // What is refused waits for the backoff of the connection.
    backoff: { maxMs: 0 },
    url: () => {
      const live = application();
      return live?.isOver === true ? undefined : live?.batch;
    },
    alone: ({ url }) => !isOn(application(), url),
    atOnce: ({ keepalive }) => keepalive !== true,
  };
  return batches(configured, connection);
}

function isOn(live: LiveApplication | undefined, url: string): boolean {
  return live !== undefined && new URL(url).pathname.startsWith(`${new URL(live.self).pathname}/`);
}
