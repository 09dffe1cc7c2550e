import { of } from 'rxjs';
import { isThisMachine } from '../../../core/httpUrl.ts';
import { objectOption, type OptionNames } from '../../../core/options.ts';
import type { Transport } from '../../../core/transport/transport.ts';
import { responseTo } from '../responses.ts';
import { simulatedContacts } from '../contacts.ts';
import {
  simulatedDiscovery,
  UCWA_DISCOVERY_NAMES,
  type UcwaDiscoveryOptions,
  type UcwaDiscoverySimulator,
} from './discovery.ts';
import { UCWA_SIMULATOR_NAMES, type UcwaSimulatorOptions, ucwaRules } from '../options.ts';
import { simulatedPool, type UcwaSimulator } from '../simulator.ts';

/** The options of a simulated domain. @inline */
export interface UcwaDomainOptions
  extends
    Omit<UcwaDiscoveryOptions, 'applications' | 'pool'>,
    Omit<UcwaSimulatorOptions, 'origin' | 'path' | 'token'> {}

/** The domain chooses these: it creates the pools and the tokens. */
const CHOSEN = ['applications', 'pool', 'origin', 'path', 'token'];

const NAMES = Object.fromEntries(
  Object.entries({ ...UCWA_DISCOVERY_NAMES, ...UCWA_SIMULATOR_NAMES }).filter(
    ([name]) => !CHOSEN.includes(name),
  ),
) as unknown as OptionNames<UcwaDomainOptions>;

/** A simulated domain, with methods that inspect and control its hosts. */
export interface UcwaDomain extends UcwaDiscoverySimulator {
  /** The current pool. Its `requests` include the parts of batches. */
  readonly pool: UcwaSimulator;
  /** Changes the given properties of a contact: see {@link UcwaSimulator.setPresence}. */
  readonly setPresence: UcwaSimulator['setPresence'];
  /**
   * Moves the users to another pool without applications.
   *
   * Pending GETs on the old pool lose their connection, further requests to it get a 502, and discovery
   * returns the URL of the new pool.
   */
  movePool(): void;
}

/**
 * Creates all simulated hosts of a domain: discovery, token endpoints, and the pool.
 *
 * The pool accepts only tokens issued for it, until they expire or are revoked. It is `https://pool1.DOMAIN`,
 * and `pool2` after a move. Served over HTTP, one origin has the roles of all hosts, and a move changes the
 * path of the applications.
 *
 * @throws TypeError that names an invalid option
 * @see [MS-UCWA] RootURL, AuthenticationInUCWA
 *
 * @example
 * ```ts
 * import { connectUcwa, discovered, password, presence } from 'rxchange/ucwa';
 * import { ucwaDomain } from 'rxchange/testing';
 *
 * const domain = ucwaDomain({ mediumSeconds: 0, users: { 'lene@contoso.com': 'secret' } });
 * const ucwa = connectUcwa({
 *   server: discovered('contoso.com'),
 *   auth: password({ username: 'lene@contoso.com', password: 'secret' }),
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

  const createPool = (): UcwaSimulator => {
    pools += 1;
    return simulatedPool(
      {
        ...{ ...options, latencyMs: 0, origin: `https://pool${pools}.${domain}` },
        ...(pools === 1 ? {} : { path: `/ucwa/${pools}/applications` }),
      },
      contacts,
    );
  };

  let pool = createPool();

  const pathOfPool = (): string => new URL(pool.url).pathname;

  const respondAsPool: Transport = (request) =>
    new URL(request.url).pathname.startsWith(pathOfPool())
      ? pool.transport(request)
      : of(responseTo(request, { status: 502 }));

  const hosts = simulatedDiscovery({
    ...options,
    pool: respondAsPool,
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
      pool = createPool();
      old.restart();
    },
  };
}
