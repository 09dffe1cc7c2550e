import type { Transport } from '../../../core/transport/transport.ts';
import type { SimulatedContacts } from '../contacts.ts';
import type { ApplicationIdentity, StoredSubscription, SimulatedApplication } from '../model.ts';

/** The parts of the server that the routes use. */
export interface UcwaBackend {
  /** The path of `applications`. */
  readonly root: string;
  readonly extensionStatus: number;
  /** The largest number of contacts in one request. */
  readonly maxContactsAtOnce: number;
  /** The addresses in each group of the user, by the name of the group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  acceptsToken(token: string): boolean;
  find(applicationId: string): SimulatedApplication | undefined;
  /** Returns the application of this identity, new or existing. */
  create(identity: ApplicationIdentity): {
    readonly application: SimulatedApplication;
    readonly isNew: boolean;
  };
  end(application: SimulatedApplication): void;
  /** Creates a subscription; returns undefined if no more are allowed. */
  subscribe(
    application: SimulatedApplication,
    uris: readonly string[],
    minutes: number,
    isOfGroup: boolean,
  ): StoredSubscription | undefined;
  readonly contacts: SimulatedContacts;
  /** Responds to batches. */
  readonly batch: Transport;
}
