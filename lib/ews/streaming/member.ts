import type { Subscriber } from 'rxjs';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import type { EwsEvent, GapReason, ServerEvent } from '../protocol/events.ts';
import { gapEvent } from '../subscription/progress.ts';
import {
  advance,
  advanceNotified,
  endLeaseIfGone,
  saveProgress,
  type Stream,
} from '../subscription/stream.ts';

/**
 * How many subscriptions one request may name.
 *
 * @see [EWS] GetStreamingEvents operation
 */
export const MAX_SUBSCRIPTIONS = 200;

/** A streaming subscription on a connection that it shares with others. */
export interface Member {
  readonly id: string;
  /** The longest that a request may stay open for it. */
  readonly connectionMinutes: number;
  readonly stream: Stream;
  readonly lease: Lease;
  readonly subscriber: Subscriber<EwsEvent>;
}

/** Emits the events of one notification to a member. */
export function emitEvents({ stream, subscriber }: Member, events: readonly ServerEvent[]): void {
  advanceNotified(stream);
  for (const event of events) subscriber.next(event);
  // The connection stays open while the checkpoint is saved.
  saveProgress(stream).subscribe({ error: (error: unknown) => subscriber.error(error) });
}

/** Reports that the server serves the request of these members, or that it has failed. */
export function reportMembers(members: Iterable<Member>, type: 'served' | 'disconnected'): void {
  for (const { stream } of members) advance(stream, { type });
}

/** Emits a gap to a member. */
export function emitGap({ id, stream, subscriber }: Member, reason: GapReason): void {
  subscriber.next(gapEvent(stream.progress, id, reason));
}

/** Ends a member with an error. */
export function failMember({ stream, lease, subscriber }: Member, error: unknown): void {
  endLeaseIfGone(stream, lease, error);
  subscriber.error(error);
}
