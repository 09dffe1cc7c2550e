import { asyncScheduler, defer, Observable } from 'rxjs';
import { choiceOption, numberOption, urlOption } from '../core/options.ts';
import type { HttpResponse, Transport } from '../core/transport.ts';
import { addressOf } from '../ucwa/href.ts';
import { type FaultQueue, faultQueue } from './faults.ts';
import { travelling } from './latency.ts';
import { type LoggedRequest, requestLog } from './requestLog.ts';
import { answerBatch, BATCH_SHAPES, type BatchShape } from './ucwaBatch.ts';
import { simulatedApplication } from './ucwaApplication.ts';
import { simulatedContacts, type SimulatedPresence } from './ucwaContacts.ts';
import type { SimulatedEvent, Urgency } from './ucwaEventQueue.ts';
import type { ApplicationIdentity, HeldSubscription, SimulatedApplication } from './ucwaResources.ts';
import { route, type UcwaBackend } from './ucwaRoutes.ts';

/** How the simulated server behaves. */
export interface UcwaSimulatorOptions {
  /** Where it pretends to be. When it is served over HTTP, it answers wherever it is asked. @default 'https://ucwa.example' */
  readonly origin?: string;
  /** The only token that is good. @default any Bearer token is */
  readonly token?: string;
  /**
   * How long a request and its answer travel together, in milliseconds; half of it passes before the server
   * acts. A request other than GET that was sent is acted on, even if its sender has gone. @default 0: all is
   * synchronous
   */
  readonly latencyMs?: number;
  /** How long events of low priority wait for others, unless the client asks for another time. @default 15 */
  readonly lowSeconds?: number;
  /** The same for events of medium priority: those of presence are. @default 5 */
  readonly mediumSeconds?: number;
  /** How long a request for events is held, unless the client asks for another time. @default 180 */
  readonly timeoutSeconds?: number;
  /** How long before its expiry a subscription is `updated`: the documentation does not say. @default 120 */
  readonly expiryWarningSeconds?: number;
  /** What an extended subscription is answered with: one page says 200, another 201. @default 200 */
  readonly extensionStatus?: 200 | 201;
  /** How many presence subscriptions an application may have; beyond, it is 403. @default no limit */
  readonly maxPresenceSubscriptions?: number;
  /** How many contacts can be asked for in one request; beyond, it is 403. @default no limit */
  readonly maxContactsAtOnce?: number;
  /** The user's groups: `sip:` URIs by the name of the group. @default none */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** How the query parameter is called that carries the cursor; one documented answer says `ck`. @default 'ack' */
  readonly cursorParameter?: string;
  /** What the href of a contact ends with: its address, or a number that says nothing. @default 'address' */
  readonly contactHrefs?: 'address' | 'opaque';
  /**
   * Whether events on the state of a contact bring the resource along, or its link only, as documented.
   * @default 'linkOnly'
   */
  readonly contactEvents?: 'linkOnly' | 'embedded';
  /** How many requests may stand in one batch; beyond, the whole is 429. @default 100 */
  readonly maxBatchParts?: number;
  /** How answers to batches are written. @default 'plain' */
  readonly batchShape?: BatchShape;
}

/** An application that the simulated server holds. */
export interface SimulatedApplicationState {
  /** Such as `101`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
}

/** A presence subscription that the simulated server holds. */
export interface SimulatedPresenceSubscription {
  /** Such as `97b6bd66`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /** The application that it is on. */
  readonly applicationId: string;
  /** Its contacts, in lower case. */
  readonly uris: readonly string[];
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** A subscription to the user's contacts and groups that the simulated server holds. */
export interface SimulatedContactsAndGroups {
  /** The application that it is on. */
  readonly applicationId: string;
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** A simulated UCWA server: a transport to it, what it holds, and how it is driven. */
export interface UcwaSimulator {
  /** What a client sends its requests with. */
  readonly transport: Transport;
  /** The absolute URL of `applications`. */
  readonly url: string;
  /** The applications that exist now. */
  readonly applications: readonly SimulatedApplicationState[];
  /** The presence subscriptions that exist now. */
  readonly presenceSubscriptions: readonly SimulatedPresenceSubscription[];
  /** The subscriptions to the user's contacts and groups that exist now. */
  readonly contactsAndGroupsSubscriptions: readonly SimulatedContactsAndGroups[];
  /** What it was sent, in that order. */
  readonly requests: readonly LoggedRequest[];
  /** Lets requests fail, parts of batches too: see {@link FaultQueue.failNext}. */
  readonly failNext: FaultQueue['failNext'];
  /**
   * Changes what is given of a contact's state, and leaves the rest; every application that watches the
   * contact is told which of its resources are others now.
   */
  setPresence(uri: string, presence: SimulatedPresence): void;
  /** Ends a presence subscription, as an administrator could; its application is told. */
  endSubscription(id: string): void;
  /** Sends an event to every application. @default urgency 'high' */
  emit(event: SimulatedEvent, urgency?: Urgency): void;
  /** Tells every application that state (`resume`: its subscriptions are gone) or events (`resync`) were lost. */
  reset(kind: 'resume' | 'resync'): void;
  /** Lets every presence subscription expire now. */
  expire(): void;
  /** Ends every application: who waits for events is told that it is not found. */
  endApplications(): void;
  /** Forgets every application, and breaks the connections of those who wait for events. */
  restart(): void;
}

const ROOT = '/ucwa/oauth/v1/applications';
/** An application without a client that waits for its events ends after this time. [application_ref] */
const IDLE_MS = 15 * 60_000;

/**
 * Returns a simulated UCWA server, for tests of what is built on this library.
 *
 * It behaves as the documentation says of applications, the event channel, presence subscriptions, their
 * memberships, contacts, and batches. It runs on RxJS time alone: in virtual time inside a TestScheduler, and it keeps
 * no timer but while a client waits for events. Its transport can be served over HTTP by `serve`. It throws a
 * TypeError that names the option for one that cannot be used.
 *
 * @example
 * ```ts
 * import { connect, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
 * const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
 * console.log(server.presenceSubscriptions.length);
 * // prints: 1
 * watching.unsubscribe();
 * await ucwa.drain();
 * console.log(server.presenceSubscriptions.length);
 * // prints: 0
 * ```
 */
export function ucwaSimulator(options: UcwaSimulatorOptions = {}): UcwaSimulator {
  const { token, latencyMs = 0, maxPresenceSubscriptions = Infinity } = options;
  const contacts = simulatedContacts(
    choiceOption('contactHrefs', options.contactHrefs ?? 'address', ['address', 'opaque']),
    choiceOption('contactEvents', options.contactEvents ?? 'linkOnly', ['linkOnly', 'embedded']) ===
      'embedded',
  );
  const { lowSeconds = 15, mediumSeconds = 5, timeoutSeconds = 180, expiryWarningSeconds = 120 } = options;
  const { origin } = urlOption('origin', options.origin ?? 'https://ucwa.example');
  const numbers = { latencyMs, lowSeconds, mediumSeconds, timeoutSeconds, expiryWarningSeconds };
  for (const [name, value] of Object.entries(numbers)) numberOption(name, value, { min: 0 });
  const batchRules = {
    maxParts: numberOption('maxBatchParts', options.maxBatchParts ?? 100, { min: 1, integer: true }),
    shape: choiceOption('batchShape', options.batchShape ?? 'plain', BATCH_SHAPES),
  };

  const applications = new Map<string, SimulatedApplication>();
  const faults = faultQueue();
  const log = requestLog();
  let applicationsMade = 0;
  let subscriptionsMade = 0;

  const end = (application: SimulatedApplication): void => {
    applications.delete(application.id);
    application.queue.end();
  };

  /** What is over by now is over, before anybody looks. */
  const settle = (): void => {
    for (const application of [...applications.values()]) {
      const { idleSince } = application.queue;
      if (idleSince !== undefined && asyncScheduler.now() - idleSince >= IDLE_MS) end(application);
      else application.settle();
    }
  };

  const all = (): readonly SimulatedApplication[] => {
    settle();
    return [...applications.values()];
  };

  /** Does something to every application, and then answers who waits. */
  const toAll = (act: (application: SimulatedApplication) => void): void => {
    for (const application of all()) {
      act(application);
      application.queue.reconsider();
    }
  };

  const create = (identity: ApplicationIdentity): ReturnType<UcwaBackend['create']> => {
    const same = [...applications.values()].find((one) => isSame(one.identity, identity));
    if (same !== undefined) return { application: same, isNew: false };
    const id = String(101 + applicationsMade++);
    const application = simulatedApplication(id, `${ROOT}/${id}`, identity, {
      ...{ lowSeconds, mediumSeconds, timeoutSeconds, contacts },
      cursorParameter: options.cursorParameter ?? 'ack',
      warningSeconds: expiryWarningSeconds,
    });
    applications.set(id, application);
    return { application, isNew: true };
  };

  const backend: UcwaBackend = {
    root: ROOT,
    extensionStatus: options.extensionStatus ?? 200,
    isGoodToken: (given) => token === undefined || given === token,
    find: (id) => applications.get(id),
    create,
    end,
    maxContactsAtOnce: options.maxContactsAtOnce ?? Infinity,
    groups: new Map(Object.entries(options.groups ?? {})),
    subscribe: (application, uris, minutes, isOfGroup) => {
      if (application.subscriptions.size >= maxPresenceSubscriptions) return undefined;
      const id = (0x97b6bd66 + subscriptionsMade++).toString(16);
      return application.subscribe(id, uris.map(addressOf), minutes, isOfGroup);
    },
    contacts,
    batch: (request) => answerBatch(batchRules, request, log.partsOf(request)(faults.middleware(actOnPart))),
  };

  const actOnPart: Transport = (request) => defer(() => route(backend, request));

  const act: Transport = (request) =>
    new Observable<HttpResponse>((subscriber) => {
      settle();
      subscriber.add(route(backend, request).subscribe(subscriber));
      // Who waits is answered after who has asked, as on two connections.
      for (const { queue } of [...applications.values()]) queue.reconsider();
    });

  return {
    transport: log.middleware(travelling(latencyMs)(faults.middleware(act))),
    url: `${origin}${ROOT}`,
    get applications() {
      return all().map(({ id, href }) => ({ id, href }));
    },
    get presenceSubscriptions() {
      return all().flatMap(stateOf);
    },
    get contactsAndGroupsSubscriptions() {
      return all().flatMap(({ id, contactsAndGroupsUntil: expiresAt }) =>
        expiresAt === undefined ? [] : [{ applicationId: id, expiresAt }],
      );
    },
    requests: log.requests,
    failNext: (...fault) => faults.failNext(...fault),
    setPresence: (uri, presence) => {
      const changed = contacts.change(uri, presence);
      toAll((application) => application.contactChanged(addressOf(uri), changed));
    },
    endSubscription: (id) =>
      toAll((application) => {
        const subscription = application.subscriptions.get(id);
        if (subscription !== undefined) application.remove(subscription);
      }),
    emit: (event, urgency = 'high') =>
      toAll(({ href, queue }) =>
        queue.push({ rel: 'communication', href: `${href}/communication` }, event, urgency),
      ),
    reset: (kind) =>
      toAll((application) => {
        if (kind === 'resume') application.forgetSubscriptions();
        application.queue.reset(kind);
      }),
    expire: () =>
      toAll((application) => {
        for (const subscription of [...application.subscriptions.values()]) application.remove(subscription);
      }),
    endApplications: () => all().forEach(end),
    restart: () => {
      const gone = [...applications.values()];
      applications.clear();
      for (const { queue } of gone) queue.breakOff();
    },
  };
}

function isSame(one: ApplicationIdentity, other: ApplicationIdentity): boolean {
  return (['culture', 'endpointId', 'userAgent', 'instanceId'] as const).every(
    (name) => one[name] === other[name],
  );
}

function stateOf(application: SimulatedApplication): SimulatedPresenceSubscription[] {
  return [...application.subscriptions.values()].map(({ id, members, expiresAt }: HeldSubscription) => ({
    id,
    href: application.subscriptionHref(id),
    applicationId: application.id,
    uris: [...members].map((address) => `sip:${address}`),
    expiresAt,
  }));
}
