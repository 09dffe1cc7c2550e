import { asyncScheduler, defer, Observable } from 'rxjs';
import { objectOption } from '../../core/options.ts';
import type { HttpResponse, Transport } from '../../core/transport/transport.ts';
import { addressOf } from '../../ucwa/protocol/href.ts';
import { type Fault, faultQueue, type RequestMatcher, withLatency } from '../faults.ts';
import { type LoggedRequest, requestLog } from '../requestLog.ts';
import { respondToBatch } from './routes/batch.ts';
import { simulatedApplication } from './application.ts';
import { type SimulatedContacts, simulatedContacts, type SimulatedPresence } from './contacts.ts';
import type { SimulatedEvent, EventPriority } from './eventQueue.ts';
import type { UcwaBackend } from './routes/backend.ts';
import {
  type ApplicationIdentity,
  isSameIdentity,
  type SimulatedApplication,
  type StoredSubscription,
} from './model.ts';
import { UCWA_SIMULATOR_NAMES, ucwaRules, type UcwaSimulatorOptions } from './options.ts';
import { route } from './routes/routes.ts';

/** A simulated UCWA server, with methods that inspect and control it. */
export interface UcwaSimulator {
  /** The transport to the server, without a network; `serve` makes it available over HTTP. */
  readonly transport: Transport;
  /** The absolute URL of `applications`. */
  readonly url: string;
  /** The current applications. */
  readonly applications: readonly SimulatedApplicationState[];
  /** The current presence subscriptions. */
  readonly presenceSubscriptions: readonly SimulatedPresenceSubscription[];
  /** The current subscriptions to the user's contacts and groups. */
  readonly contactsAndGroupsSubscriptions: readonly SimulatedContactsAndGroups[];
  /** The requests received, in order. */
  readonly requests: readonly LoggedRequest[];
  /** Lets the next `count` matching requests fail, or parts of batches. @default matches all requests */
  failNext(count: number, fault: Fault, matches?: RequestMatcher): void;
  /**
   * Changes the given properties of a contact.
   *
   * Applications that watch the contact get `updated` events for the changed resources.
   */
  setPresence(uri: string, presence: SimulatedPresence): void;
  /** Ends a presence subscription, as an administrator could; its application gets `deleted`. */
  endSubscription(id: string): void;
  /** Sends an event to every application. @default urgency 'high' */
  emit(event: SimulatedEvent, urgency?: EventPriority): void;
  /** Reports a loss to every application: of its subscriptions (`resume`) or of events (`resync`). */
  reset(rel: 'resume' | 'resync'): void;
  /** Expires every presence subscription. */
  expire(): void;
  /** Ends every application; pending GETs get ApplicationNotFound. */
  endApplications(): void;
  /** Drops every application, and breaks the connections of pending GETs. */
  restart(): void;
}

/** The time after which an application without a pending GET ends. @see [MS-UCWA] application_ref */
const IDLE_SECONDS = 15 * 60;

/**
 * Creates a simulated UCWA server, for tests of applications that use `rxchange/ucwa`.
 *
 * It implements the documented behavior of applications, the event channel, presence subscriptions and
 * memberships, contacts, batches, and published availability. Its XFrame page for pages on this machine is at
 * `/Autodiscover/XFrame/XFrame.html`. It runs on RxJS time, and therefore in virtual time inside
 * `TestScheduler.run`; it has a timer only while a GET is pending.
 *
 * @throws TypeError that names an invalid option
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
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
  const { contactHrefs, areContactsEmbedded } = ucwaRules(
    objectOption('options', options, UCWA_SIMULATOR_NAMES),
  );
  return simulatedPool(options, simulatedContacts(contactHrefs, areContactsEmbedded));
}

/** Creates a simulated server with these contacts, which several pools can share. */
export function simulatedPool(options: UcwaSimulatorOptions, contacts: SimulatedContacts): UcwaSimulator {
  const { token, maxPresenceSubscriptions = Infinity } = options;
  const { origin, path: root, latencyMs, allowedOrigins, ...rules } = ucwaRules(options);
  const idleMs = IDLE_SECONDS * rules.application.secondMs;
  const applications = new Map<string, SimulatedApplication>();
  const faults = faultQueue();
  const log = requestLog();
  let applicationCount = 0;
  let subscriptionCount = 0;

  const end = (application: SimulatedApplication): void => {
    applications.delete(application.id);
    application.queue.end();
  };

  /** Ends and expires everything that is due, before any request or inspection. */
  const expireDue = (): void => {
    for (const application of [...applications.values()]) {
      const { idleSince } = application.queue;
      if (idleSince !== undefined && asyncScheduler.now() - idleSince >= idleMs) end(application);
      else application.expireDue();
    }
  };

  const all = (): readonly SimulatedApplication[] => {
    expireDue();
    return [...applications.values()];
  };

  /** Changes every application, and then responds to pending GETs. */
  const toAll = (act: (application: SimulatedApplication) => void): void => {
    for (const application of all()) {
      act(application);
      application.queue.respondIfDue();
    }
  };

  const create = (identity: ApplicationIdentity): ReturnType<UcwaBackend['create']> => {
    const same = [...applications.values()].find((one) => isSameIdentity(one.identity, identity));
    if (same !== undefined) return { application: same, isNew: false };
    const id = String(101 + applicationCount++);
    const application = simulatedApplication(id, `${root}/${id}`, identity, {
      ...rules.application,
      contacts,
    });
    applications.set(id, application);
    return { application, isNew: true };
  };

  const backend: UcwaBackend = {
    ...{ root, allowedOrigins },
    extensionStatus: options.extensionStatus ?? 200,
    acceptsToken: (given) => token === undefined || given === token,
    find: (id) => applications.get(id),
    create,
    end,
    maxContactsAtOnce: options.maxContactsAtOnce ?? Infinity,
    groups: new Map(Object.entries(options.groups ?? {})),
    subscribe: (application, uris, minutes, isOfGroup) => {
      if (application.subscriptions.size >= maxPresenceSubscriptions) return undefined;
      const id = (0x97b6bd66 + subscriptionCount++).toString(16);
      return application.subscribe(id, uris.map(addressOf), minutes, isOfGroup);
    },
    contacts,
    batch: (request) =>
      respondToBatch(rules.batch, request, log.partsOf(request)(faults.middleware(actOnPart))),
  };

  const actOnPart: Transport = (request) => defer(() => route(backend, request));

  const act: Transport = (request) =>
    new Observable<HttpResponse>((subscriber) => {
      expireDue();
      subscriber.add(route(backend, request).subscribe(subscriber));
      // The pending GETs get their responses after this request, as on two connections.
      for (const { queue } of [...applications.values()]) queue.respondIfDue();
    });

  return {
    transport: log.middleware(withLatency(latencyMs)(faults.middleware(act))),
    url: `${origin}${root}`,
    get applications() {
      return all().map(applicationState);
    },
    get presenceSubscriptions() {
      return all().flatMap(subscriptionStates);
    },
    get contactsAndGroupsSubscriptions() {
      return all().flatMap(contactsAndGroupsStates);
    },
    requests: log.requests,
    failNext: (...fault) => faults.failNext(...fault),
    setPresence: (uri, presence) => {
      const changed = contacts.change(uri, presence);
      toAll((application) => application.notifyContactChanged(addressOf(uri), changed));
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
    reset: (rel) =>
      toAll((application) => {
        if (rel === 'resume') application.dropSubscriptions();
        application.queue.reset(rel);
      }),
    expire: () =>
      toAll((application) => {
        for (const subscription of [...application.subscriptions.values()]) application.remove(subscription);
      }),
    endApplications: () => all().forEach(end),
    restart: () => {
      const gone = [...applications.values()];
      applications.clear();
      for (const { queue } of gone) queue.breakConnection();
    },
  };
}

/** An application on the simulated server. @inline */
export interface SimulatedApplicationState {
  /** Such as `101`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /**
   * The availability that others see now; after four minutes without reported activity it is `Away`.
   * @default absent: makeMeAvailable was not called
   */
  readonly availability?: string;
}

/** A presence subscription on the simulated server. @inline */
export interface SimulatedPresenceSubscription {
  /** Such as `97b6bd66`. */
  readonly id: string;
  /** Relative to the server. */
  readonly href: string;
  /** The id of its application. */
  readonly applicationId: string;
  /** Its contacts, in lower case. */
  readonly uris: readonly string[];
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** A subscription to the user's contacts and groups on the simulated server. @inline */
export interface SimulatedContactsAndGroups {
  /** The id of its application. */
  readonly applicationId: string;
  /** In milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
}

/** Returns the public view of an application. */
export function applicationState({ id, href, published }: SimulatedApplication): SimulatedApplicationState {
  const { availability } = published;
  return { id, href, ...(availability === undefined ? {} : { availability }) };
}

/** Returns the public views of the presence subscriptions of an application. */
export function subscriptionStates(application: SimulatedApplication): SimulatedPresenceSubscription[] {
  return [...application.subscriptions.values()].map(({ id, members, expiresAt }: StoredSubscription) => ({
    id,
    href: application.subscriptionHref(id),
    applicationId: application.id,
    uris: [...members].map((address) => `sip:${address}`),
    expiresAt,
  }));
}

/** Returns the public view of the subscription to contacts and groups, if there is one. */
export function contactsAndGroupsStates({
  id,
  contactsAndGroupsExpiresAt: expiresAt,
}: SimulatedApplication): SimulatedContactsAndGroups[] {
  return expiresAt === undefined ? [] : [{ applicationId: id, expiresAt }];
}
