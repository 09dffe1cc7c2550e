import type { Observable } from 'rxjs';
import type { ConnectionBackoff } from '../core/connectionBackoff.ts';
import type { Limits } from '../core/limits.ts';
import type { ReleaseLedger } from '../core/releases.ts';
import type { SharedTimers } from '../core/sharedTimers.ts';
import type { HttpRequest } from '../core/transport.ts';
import type { RetryPolicy } from '../core/withRetry.ts';
import type { Site } from './affinityGroups.ts';
import type { Claims } from './claims.ts';
import type { EnvelopeHead } from './envelope.ts';
import type { ServerEvent } from './events.ts';
import type { ExchangeVersion } from './exchangeVersion.ts';
import type { StreamedMessage } from './streamingParser.ts';
import type { ResponseMessage } from './wire.ts';

/** One operation, for {@link ServiceInternals.send}. */
export interface Operation {
  /** Such as `Subscribe`. */
  readonly name: string;
  /** Writes the request. */
  readonly envelope: (head: EnvelopeHead) => string;
  readonly onProgress?: HttpRequest['onProgress'];
  readonly keepalive?: boolean;
  /** Called with events of the answer while it arrives; it brings those that are left. @default all come with it */
  readonly onEvents?: (events: readonly ServerEvent[]) => void;
}

/** An operation whose answer goes on and on, for {@link ServiceInternals.stream}. */
export interface StreamOperation extends Pick<Operation, 'name' | 'envelope'> {
  readonly onProgress: NonNullable<HttpRequest['onProgress']>;
}

/** What a service is to the rest of this protocol, wherever it is. */
export interface ServiceCore {
  /** The schema version of its requests. */
  readonly version: ExchangeVersion;
  readonly ledger: ReleaseLedger;
  readonly timers: SharedTimers;
  readonly retry: RetryPolicy;
  /** What to do before there was a subscription. */
  readonly whenUnreachable: 'wait' | 'error';
  readonly limits: Required<Limits>;
  /** How many streams may be open at the same time. */
  readonly maxConnections: number;
  /** Counts events that were left out of what is posted; those of answers are counted. */
  readonly noteSkipped: (count: number) => void;
  /**
   * Emits the service where it is, and again when it is found elsewhere. It never completes before its
   * subscriber has to go on; it errors where it cannot be found.
   */
  readonly here$: Observable<ServiceInternals>;
  /** The same where it stays, for its URL was given. */
  readonly fixed: (() => ServiceInternals) | undefined;
  /** The mailbox is not where it was: what is known of its place is found out anew by who next needs it. */
  readonly relocate: () => void;
}

/** The same at one place. */
export interface ServiceInternals extends ServiceCore {
  readonly claims: Claims;
  readonly head: EnvelopeHead;
  readonly url: string;
  /** The one backoff of all requests to this URL. */
  readonly backoff: ConnectionBackoff;
  /** One for all whose streams share connections. */
  readonly site: Site;
  readonly send: (operation: Operation) => Observable<ResponseMessage>;
  readonly stream: (operation: StreamOperation) => Observable<StreamedMessage>;
}
