import { intersection, partial, string, type } from '../../core/codec.ts';
import type { Journal, JournalFormat } from '../../core/checkpoint/journal.ts';

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

/**
 * The identity of an application. Each value has at most 100 characters.
 *
 * @see [MS-UCWA] applications
 */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string | undefined;
}

/** The configured identity, and whether the caller has set its `endpointId`. */
export interface ConfiguredIdentity {
  readonly identity: ApplicationIdentity;
  readonly isEndpointGiven: boolean;
}

/** Returns whether an application with this identity matches the configured one. */
export function isConfigured(
  one: ApplicationIdentity,
  { identity, isEndpointGiven }: ConfiguredIdentity,
): boolean {
  const { culture, endpointId, userAgent, instanceId = one.instanceId } = identity;
  return (
    one.culture === culture &&
    one.userAgent === userAgent &&
    one.instanceId === instanceId &&
    (!isEndpointGiven || one.endpointId === endpointId)
  );
}

/** Returns a random id. Unlike `randomUUID`, it also works in pages without https. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
