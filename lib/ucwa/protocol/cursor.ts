import { defined } from '../../core/defined.ts';
import { DecodeError } from '../../core/errors.ts';
import type { NumberRange } from '../../core/options.ts';
import { eventsOf, gapEvent, type GapReason, type UcwaEvent } from './events.ts';
import type { EventsResponse } from './eventsResponse.ts';
import { absolute } from './href.ts';

/**
 * How long the server may hold back events and responses.
 *
 * @see [MS-UCWA] EventChannelDetails
 *
 * @inline
 */
export interface ChannelParameters {
  /** How long events of low priority may be held back, in seconds, 5…1800. @default the server's, 15 */
  readonly lowSeconds?: number;
  /**
   * How long events of medium priority, such as those of presence, may be held back, in seconds, 5…1800.
   * @default the server's, 5
   */
  readonly mediumSeconds?: number;
  /** How long a request may wait for events, in seconds, 180…1800. @default the server's, 180 */
  readonly timeoutSeconds?: number;
  /**
   * The priority of requests. Of two that wait on one channel, the newer one stays if its priority is not
   * lower. The connection raises it if an earlier request of its own may still arrive.
   * @default the server's, 0
   */
  readonly priority?: number;
}

/** The allowed ranges of {@link ChannelParameters}. */
export const PARAMETER_RANGES: { readonly [Name in keyof ChannelParameters]-?: NumberRange } = {
  lowSeconds: { min: 5, max: 1800, integer: true },
  mediumSeconds: { min: 5, max: 1800, integer: true },
  timeoutSeconds: { min: 180, max: 1800, integer: true },
  priority: { min: 0, integer: true },
};

/** When a batch is acknowledged by the next request: before or after it was processed. */
export type Acknowledgement = 'eager' | 'processed';

/** The position on the event channel. */
export interface Cursor {
  /** The link to follow, absolute and otherwise as the server wrote it. */
  readonly url: string;
}

/** The events of one response. @inline */
export interface EventBatch {
  /** The link that was followed, as the server wrote it. */
  readonly self?: string;
  /** The link that acknowledges this batch, as the server wrote it. */
  readonly next: string;
  /** Why events or state are missing before this batch; absent if nothing is. */
  readonly gap?: GapReason;
  /** In the server's order. If there is a gap, its event comes first. */
  readonly events: readonly UcwaEvent[];
}

/** The next position, and the events before it. */
export interface CursorStep {
  readonly cursor: Cursor;
  readonly batch: EventBatch;
}

/** Returns a link with parameters in its query; the rest keeps its spelling. */
export function withParameters(link: Cursor, parameters: ChannelParameters): Cursor {
  const { lowSeconds, mediumSeconds, timeoutSeconds, priority } = parameters;
  const added = { low: lowSeconds, medium: mediumSeconds, timeout: timeoutSeconds, priority };
  const url = new URL(link.url);
  const query = url.search === '' ? [] : url.search.slice(1).split('&');
  const before = query.join('&');
  for (const [name, value] of Object.entries(added)) {
    if (value === undefined) continue;
    const at = query.findIndex((one) => one.startsWith(`${name}=`));
    query.splice(at < 0 ? query.length : at, 1, `${name}=${value}`);
  }
  if (query.join('&') === before) return link;
  url.search = query.join('&');
  return { url: url.href };
}

/**
 * Returns the next position and the events of a response: a pure function.
 *
 * The server's link is followed verbatim, whether it is absolute or relative. The server remembers the
 * parameters, so they are not added again. After a failed request the same cursor is sent again.
 *
 * It throws a {@link DecodeError} for a response without a link to follow.
 */
export function advance(cursor: Cursor, response: EventsResponse): CursorStep {
  const { self, next, resume, resync } = response._links;
  // One link is documented. If there are more, the one that reports a loss decides.
  const link = resync ?? resume ?? next;
  if (link === undefined) {
    throw new DecodeError('event channel response', {
      path: '/_links',
      expected: 'one of next, resume, resync',
      actual: self === undefined ? 'none' : 'self only',
    });
  }
  const gap = resync !== undefined ? 'resync' : resume !== undefined ? 'resume' : undefined;
  const events = eventsOf(response);
  return {
    cursor: { url: absolute(link.href, cursor.url) },
    batch: {
      ...defined({ self: self?.href }),
      next: link.href,
      ...(gap === undefined
        ? { events }
        : { gap, events: [gapEvent(gap, link.href, cursor.url), ...events] }),
    },
  };
}
