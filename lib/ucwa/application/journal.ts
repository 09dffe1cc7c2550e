import { intersection, partial, string, type } from '../../core/codec.ts';
import type { Journal, JournalFormat } from '../../core/checkpoint/journal.ts';
import type { ApplicationIdentity } from './identity.ts';

/** The saved position of a connection. */
export interface ConnectionPosition {
  /** The identity of the last requested application, and the href of the last created one. */
  readonly application?:
    { readonly identity: ApplicationIdentity; readonly self?: string | undefined } | undefined;
  /** The link at which the event channel resumes: all earlier events were processed. */
  readonly next?: string | undefined;
}

/** The journal of one connection, for the next process. */
export type ConnectionJournal = Journal<ConnectionPosition>;

/** The format of a {@link ConnectionJournal}. */
export const CONNECTION_JOURNAL: JournalFormat<ConnectionPosition> = {
  codec: partial({
    application: intersection([
      type({
        identity: intersection([
          type({ culture: string, endpointId: string, userAgent: string }),
          partial({ instanceId: string }),
        ]),
      }),
      partial({ self: string }),
    ]),
    next: string,
  }),
  isSame: (one, other) => JSON.stringify(one) === JSON.stringify(other),
};
