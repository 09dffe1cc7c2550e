import { of } from 'rxjs';
import { isThisMachine } from '../../../core/httpUrl.ts';
import { objectOption, type OptionNames } from '../../../core/options.ts';
import type { Transport } from '../../../core/transport/transport.ts';
import { responseTo } from '../responses.ts';
import { simulatedContacts } from '../contacts.ts';
import { simulatedDiscovery, type UcwaDiscoveryOptions, type UcwaDiscoverySimulator } from './discovery.ts';
import { ucwaRules } from '../options.ts';
import { simulatedPool, type UcwaSimulator, type UcwaSimulatorOptions } from '../simulator.ts';

/** How the simulated domain behaves. */
export interface UcwaDomainOptions
  extends
    Omit<UcwaDiscoveryOptions, 'applications' | 'pool'>,
    Omit<UcwaSimulatorOptions, 'origin' | 'path' | 'token'> {}

const NAMES: OptionNames<UcwaDomainOptions> = {
  domain: 1,
  internal: 1,
  users: 1,
  grantTypes: 1,
  href: 1,
  tokenSeconds: 1,
  redirectTo: 1,
  anyToken: 1,
  speed: 1,
  latencyMs: 1,
  lowSeconds: 1,
  mediumSeconds: 1,
  timeoutSeconds: 1,
  expiryWarningSeconds: 1,
  extensionStatus: 1,
  maxPresenceSubscriptions: 1,
  maxContactsAtOnce: 1,
  groups: 1,
  cursorParameter: 1,
  contactHrefs: 1,
  contactEvents: 1,
  maxBatchParts: 1,
  batchShape: 1,
};

/** A simulated domain: a transport to all of its hosts, what they were asked, and how it is driven. */
export interface UcwaDomain extends UcwaDiscoverySimulator {
  /** Where the applications are now; what it was sent, with what batches carried, is told there too. */
  readonly pool: UcwaSimulator;
  /** Changes the state of a contact: see {@link UcwaSimulator.setPresence}. */
  readonly setPresence: UcwaSimulator['setPresence'];
  /**
   * Moves the applications' users to another pool: who waits at the old one loses the connection, whatever is
   * sent there is 502 from now on, and discovery tells of the new one, which knows no application yet.
   */
  movePool(): void;
}

/**
 * Returns all simulated hosts of a domain at once, for tests of what is built on this library: discovery, the
 * token endpoints, and the pool of applications.
 *
 * The pool takes the tokens that were issued for it, until they expire or are refused, and no others. In a
 * transport alone it is `https://pool1.DOMAIN`, and `pool2` after it has moved; served on this machine, one
 * origin plays all the parts, and the path of the applications changes. It throws a TypeError that names the
 * option for one that cannot be used. [RootURL, AuthenticationInUCWA]
 *
 * @example
 * ```ts
 * import { connect, password, presence } from 'rxchange/ucwa';
 * import { ucwaDomain } from 'rxchange/testing';
 *
 * const domain = ucwaDomain({ mediumSeconds: 0, users: { 'lene@contoso.com': 'secret' } });
 * const ucwa = connect({
 *   domain: 'contoso.com',
 *   signIn: password({ username: 'lene@contoso.com', password: 'secret' }),
 *   transport: domain.transport,
 * });
 * const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
 * console.log(domain.tokens.map(({ origin }) => origin));
 * // prints: [ 'https://lyncweb.contoso.com', 'https://pool1.contoso.com' ]
 * console.log(domain.pool.presenceSubscriptions.length);
 * // prints: 1
 * watching.unsubscribe();
 * await ucwa.drain();
 * console.log(domain.pool.presenceSubscriptions.length);
 * // prints: 0
 * ```
 */
export function ucwaDomain(options: UcwaDomainOptions = {}): UcwaDomain {
  const { domain = 'contoso.com' } = objectOption('options', options, NAMES);
  const { contactHrefs, areContactsEmbedded } = ucwaRules(options);
  const contacts = simulatedContacts(contactHrefs, areContactsEmbedded);
  let pools = 0;

  const makePool = (): UcwaSimulator => {
    pools += 1;
    return simulatedPool(
      {
        ...{ ...options, latencyMs: 0, origin: `https://pool${pools}.${domain}` },
        ...(pools === 1 ? {} : { path: `/ucwa/${pools}/applications` }),
      },
      contacts,
    );
  };

  let pool = makePool();

  const pathOfPool = (): string => new URL(pool.url).pathname;

  const answerPool: Transport = (request) =>
    new URL(request.url).pathname.startsWith(pathOfPool())
      ? pool.transport(request)
      : of(responseTo(request, { status: 502 }));

  const hosts = simulatedDiscovery({
    ...options,
    pool: answerPool,
    applications: (origin) =>
      isThisMachine(new URL(origin).hostname) ? `${origin}${pathOfPool()}` : pool.url,
  });

  return {
    ...hosts,
    get pool() {
      return pool;
    },
    setPresence: (...change) => pool.setPresence(...change),
    movePool: () => {
      const old = pool;
      pool = makePool();
      old.restart();
    },
  };
}
