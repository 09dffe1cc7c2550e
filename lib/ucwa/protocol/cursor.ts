import { DecodeError } from '../../core/errors.ts';
import type { NumberRange } from '../../core/options.ts';
import { eventsOf, gapEvent, type GapReason, type UcwaEvent } from './events.ts';
import type { EventsResponse } from './eventsResponse.ts';
import { absolute } from './href.ts';

/** How long the server holds events and requests back. [EventChannelDetails] */
export interface ChannelParameters {
  /** How long events of low priority may wait for others, in seconds, 5…1800. @default the server's, 15 */
  readonly lowSeconds?: number;
  /**
   * How long events of medium priority may wait for others, in seconds, 5…1800: those of presence are.
   * @default the server's, 5
   */
  readonly mediumSeconds?: number;
  /** How long the server holds a request without events, in seconds, 180…1800. @default the server's, 180 */
  readonly timeoutSeconds?: number;
  /**
   * Of two requests that wait on one channel, the newer one stays if its priority is the same or higher. It is
   * raised when a request of this connection may still arrive late.
   * @default the server's, 0
   */
  readonly priority?: number;
}

/** The ranges of {@link ChannelParameters}. */
export const PARAMETER_RANGES: { readonly [Name in keyof ChannelParameters]-?: NumberRange } = {
  lowSeconds: { min: 5, max: 1800, integer: true },
  mediumSeconds: { min: 5, max: 1800, integer: true },
  timeoutSeconds: { min: 180, max: 1800, integer: true },
  priority: { min: 0, integer: true },
};

/** When an answer of the channel is acknowledged, which is by asking for the next. */
export type Acknowledgement = 'eager' | 'processed';

/** Which request comes next on the channel. */
export interface Cursor {
  /** Absolute. The server's own link, followed verbatim. */
  readonly url: string;
}

/** What the server sent with one answer. */
export interface EventBatch {
  /** The link that was followed, as the server writes it. */
  readonly self?: string;
  /** The link to follow, as the server wrote it: following it acknowledges this batch. */
  readonly next: string;
  /** What was lost before this batch, if anything was. */
  readonly gap?: GapReason;
  /** In the server's order. If there is a gap, its event comes first. */
  readonly events: readonly UcwaEvent[];
}

/** One step along the channel. */
export interface CursorStep {
  readonly cursor: Cursor;
  readonly batch: EventBatch;
}

/** Returns the link with parameters added to its query; whatever else is in it stays as it is spelled. */
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
 * Where an answer leads: to the server's own link, followed verbatim whatever its query is called, and
 * whether it is absolute or relative. The server remembers the parameters, they are not added again.
 *
 * A failed request leads nowhere: its cursor is sent again. Throws a {@link DecodeError} for an answer
 * without a link to follow.
 */
export function advance(cursor: Cursor, response: EventsResponse): CursorStep {
  const { self, next, resume, resync } = response._links;
  // Exactly one is documented. Where there are more, the one must not be missed that tells of a loss.
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
      ...(self === undefined ? {} : { self: self.href }),
      next: link.href,
      ...(gap === undefined
        ? { events }
        : { gap, events: [gapEvent(gap, link.href, cursor.url), ...events] }),
    },
  };
}
