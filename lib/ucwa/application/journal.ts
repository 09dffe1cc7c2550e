import type { Journal, JournalFormat } from '../../core/checkpoint/journal.ts';
import type { ApplicationIdentity } from './identity.ts';

/** How far a connection has come. */
export interface ConnectionPosition {
  /** The application that was asked for last, and the href of the last that was made. */
  readonly application?:
    { readonly identity: ApplicationIdentity; readonly self?: string | undefined } | undefined;
  /** Where its event channel goes on: all that came before was processed. */
  readonly next?: string | undefined;
}

/** What one connection keeps for the next process. */
export type ConnectionJournal = Journal<ConnectionPosition>;

/** The contents of a {@link ConnectionJournal}. */
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
