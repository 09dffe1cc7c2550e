import type { Observable } from 'rxjs';
import type { RequestProgress } from '../core/transport.ts';
import type { LiveApplication } from './liveApplication.ts';
import type { UcwaRequest } from './request.ts';

/** A subscription as it was created on the server. */
export interface Created {
  /** Absolute. */
  readonly self: string;
  /** Where its memberships are, absolute; undefined where it has none. */
  readonly memberships: string | undefined;
  /** Where contacts are added, absolute; undefined where they cannot be. */
  readonly addTo: string | undefined;
}

/** What is the same in all subscriptions of a kind: how they are made, kept and removed. */
export interface SubscriptionKind<Made extends Created = Created> {
  /** In the protocol's own word. */
  readonly resource: string;
  /** How long the server keeps one that it hears nothing of. */
  readonly durationMinutes: number;
  /** Whether the event channel tells that one was created and removed. */
  readonly isAnnounced: boolean;
  readonly create: (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ) => Observable<Made>;
  /** The request that extends it; sending it twice does no harm. */
  readonly extend: (made: Made, durationMinutes: number) => UcwaRequest;
  /** The request that removes it. */
  readonly remove: (made: Made) => UcwaRequest;
  /**
   * Brings it up to date while it is there: errors with what is refused, emits nothing. Undefined where it is, and
   * stays so. It errors with `ENDED` if a request that was lost can arrive and change it: it is replaced then.
   */
  readonly update?: (made: Made) => Observable<never> | undefined;
}
