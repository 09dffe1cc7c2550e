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
  codec: (t) =>
    t.partial({
      application: t.intersection([
        t.type({
          identity: t.intersection([
            t.type({ culture: t.string, endpointId: t.string, userAgent: t.string }),
            t.partial({ instanceId: t.string }),
          ]),
        }),
        t.partial({ self: t.string }),
      ]),
      next: t.string,
    }),
  isSame: (one, other) => JSON.stringify(one) === JSON.stringify(other),
};
