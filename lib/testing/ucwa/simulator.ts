import { asyncScheduler, defer, Observable } from 'rxjs';
import { objectOption } from '../../core/options.ts';
import type { HttpResponse, Transport } from '../../core/transport/transport.ts';
import { addressOf } from '../../ucwa/protocol/href.ts';
import { type FaultQueue, faultQueue } from '../faults.ts';
import { withLatency } from '../latency.ts';
import { type LoggedRequest, requestLog } from '../requestLog.ts';
import { respondToBatch } from './routes/batch.ts';
import { simulatedApplication } from './application.ts';
import { type SimulatedContacts, simulatedContacts, type SimulatedPresence } from './contacts.ts';
import type { SimulatedEvent, EventPriority } from './events.ts';
import type { UcwaBackend } from './routes/backend.ts';
import { type ApplicationIdentity, isSameIdentity, type SimulatedApplication } from './model.ts';
import { UCWA_SIMULATOR_NAMES, ucwaRules, type UcwaSimulatorOptions } from './options.ts';
import { route } from './routes/routes.ts';
import {
  applicationState,
  contactsAndGroupsStates,
  type SimulatedApplicationState,
  type SimulatedContactsAndGroups,
  type SimulatedPresenceSubscription,
  subscriptionStates,
} from './views.ts';

export type { UcwaSimulatorOptions };

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
  emit(event: SimulatedEvent, urgency?: EventPriority): void;
  /** Tells every application that state (`resume`: its subscriptions are gone) or events (`resync`) were lost. */
  reset(kind: 'resume' | 'resync'): void;
  /** Lets every presence subscription expire now. */
  expire(): void;
  /** Ends every application: who waits for events is told that it is not found. */
  endApplications(): void;
  /** Forgets every application, and breaks the connections of those who wait for events. */
  restart(): void;
}

/** An application without a client that waits for its events ends after this time. [application_ref] */
const IDLE_SECONDS = 15 * 60;

/**
 * Returns a simulated UCWA server, for tests of what is built on this library.
 *
 * It behaves as the documentation says of applications, the event channel, presence subscriptions, their
 * memberships, contacts, batches, and what the user publishes. Its XFrame page, which takes requests of pages on
 * this machine, is at `/Autodiscover/XFrame/XFrame.html`. It runs on RxJS time alone: in virtual time inside a
 * TestScheduler, and it keeps no timer but while a client waits for events. Its transport can be served over HTTP
 * by `serve`. It throws a TypeError that names the option for one that cannot be used.
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
  const { contactHrefs, areContactsEmbedded } = ucwaRules(
    objectOption('options', options, UCWA_SIMULATOR_NAMES),
  );
  return simulatedPool(options, simulatedContacts(contactHrefs, areContactsEmbedded));
}

/** Creates a simulated server of these contacts: those of several pools are the same ones. */
export function simulatedPool(options: UcwaSimulatorOptions, contacts: SimulatedContacts): UcwaSimulator {
  const { token, maxPresenceSubscriptions = Infinity } = options;
  const { origin, path: root, latencyMs, ...rules } = ucwaRules(options);
  const idleMs = IDLE_SECONDS * rules.application.secondMs;
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
      if (idleSince !== undefined && asyncScheduler.now() - idleSince >= idleMs) end(application);
      else application.expireDue();
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
      application.queue.respondIfDue();
    }
  };

  const create = (identity: ApplicationIdentity): ReturnType<UcwaBackend['create']> => {
    const same = [...applications.values()].find((one) => isSameIdentity(one.identity, identity));
    if (same !== undefined) return { application: same, isNew: false };
    const id = String(101 + applicationsMade++);
    const application = simulatedApplication(id, `${root}/${id}`, identity, {
      ...rules.application,
      contacts,
    });
    applications.set(id, application);
    return { application, isNew: true };
  };

  const backend: UcwaBackend = {
    root,
    extensionStatus: options.extensionStatus ?? 200,
    acceptsToken: (given) => token === undefined || given === token,
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
    batch: (request) =>
      respondToBatch(rules.batch, request, log.partsOf(request)(faults.middleware(actOnPart))),
  };

  const actOnPart: Transport = (request) => defer(() => route(backend, request));

  const act: Transport = (request) =>
    new Observable<HttpResponse>((subscriber) => {
      settle();
      subscriber.add(route(backend, request).subscribe(subscriber));
      // Who waits is answered after who has asked, as on two connections.
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
    reset: (kind) =>
      toAll((application) => {
        if (kind === 'resume') application.dropSubscriptions();
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
      for (const { queue } of gone) queue.breakConnection();
    },
  };
}
