import type { Transport } from '../../../core/transport/transport.ts';
import type { SimulatedContacts } from '../contacts.ts';
import type { ApplicationIdentity, StoredSubscription, SimulatedApplication } from '../model.ts';

/** What the routes need of the server behind them. */
export interface UcwaBackend {
  /** The path of `applications`. */
  readonly root: string;
  readonly extensionStatus: number;
  /** How many contacts can be asked for in one request. */
  readonly maxContactsAtOnce: number;
  /** The addresses in each group of the user, by its name. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  acceptsToken(token: string): boolean;
  find(applicationId: string): SimulatedApplication | undefined;
  /** The application of this identity; a second one of the same identity is the first. */
  create(identity: ApplicationIdentity): {
    readonly application: SimulatedApplication;
    readonly isNew: boolean;
  };
  end(application: SimulatedApplication): void;
  /** Undefined where no more of them are allowed. */
  subscribe(
    application: SimulatedApplication,
    uris: readonly string[],
    minutes: number,
    isOfGroup: boolean,
  ): StoredSubscription | undefined;
  readonly contacts: SimulatedContacts;
  /** Answers what was sent to `batch`. */
  readonly batch: Transport;
}
