import { defer, map, mergeMap, type Observable } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { invalidOption, objectOption } from '../../core/options.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { linkOf, type LiveApplication } from '../application/liveApplication.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { requestJson } from '../protocol/request.ts';
import {
  hrefOf,
  listOf,
  presenceSubscriptionCodec,
  type Resource,
  resourceCodec,
} from '../protocol/resource.ts';
import { eventSource } from '../subscription/eventSource.ts';
import { lifetimeOf, LIFETIME_RULES, type LifetimeOptions, shared } from '../subscription/options.ts';
import { recreatingSubscription } from '../subscription/subscription.ts';
import {
  type Created,
  extendPresence,
  presenceSubscriptionIn,
  removePresence,
  type SubscriptionType,
  withDuration,
} from '../subscription/subscriptionType.ts';

/** Selects one of the user's groups by id or name. Its href would not outlive the application. @inline */
export interface GroupSelection {
  /** The `id` of the group. If it is given, the name is ignored. */
  readonly id?: unknown;
  /** The `name` of the group, as the user sees it. */
  readonly name?: unknown;
}

/**
 * Returns the type of subscriptions to the presence of the current members of a group.
 *
 * @see [MS-UCWA] SubscribeToThePresenceOfAGroupOfContacts
 * @see [MS-UCWA] subscribeToGroupPresence_ref
 */
function groupSubscription(
  { transport }: UcwaSession,
  group: GroupSelection,
  durationMinutes: number,
): SubscriptionType {
  /** Returns the link that subscribes to the group: its query contains the id of the group. */
  const linkToGroup = (application: LiveApplication): Observable<string> =>
    defer(() => {
      const url = linkOf(application.people, 'myGroups', application.self);
      return requestJson(transport, { method: 'GET', url }, resourceCodec, 'myGroups');
    }).pipe(
      map(({ value, url }) => {
        const groups = Object.values(value._embedded ?? {}).flatMap((one) => listOf(one));
        const found = groups.find((candidate) => isSelected(candidate, group));
        if (found !== undefined && hrefOf(found, 'subscribeToGroupPresence') !== undefined) {
          return linkOf(found, 'subscribeToGroupPresence', url);
        }
        throw new DecodeError('myGroups', {
          path: '/_embedded',
          expected: 'the selected group, with a link to subscribe to its presence',
          actual: found === undefined ? `${groups.length} other groups` : 'the group without that link',
        });
      }),
    );

  const create = (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Created> =>
    linkToGroup(application).pipe(
      mergeMap((href) =>
        requestJson(
          transport,
          { method: 'POST', url: withDuration(href, durationMinutes), onProgress },
          presenceSubscriptionCodec,
          'presenceSubscription',
        ),
      ),
      map(presenceSubscriptionIn),
    );

  return {
    resource: 'presenceSubscription',
    durationMinutes,
    isAnnounced: true,
    create,
    extend: extendPresence,
    remove: removePresence,
  };
}

function isSelected(candidate: Resource, { id, name }: GroupSelection): boolean {
  return id === undefined ? candidate['name'] === name : candidate['id'] === id;
}

/**
 * Returns an Observable of events about the presence of the members of a group.
 *
 * Each subscriber has a subscription on the server.
 *
 * It also emits the events of the subscription itself, and removes the subscription when it is unsubscribed.
 * It is extended and re-created as that of {@link presence}. Each creation looks the group up, so a group
 * that does not exist is an error then. It throws a TypeError that names an invalid option.
 *
 * @param group The `id` or `name` of the group; its resource has both.
 *
 * @see [MS-UCWA] SubscribeToThePresenceOfAGroupOfContacts
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, groupPresence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0, groups: { Family: ['sip:sara@contoso.com'] } });
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
 * const watching = groupPresence(ucwa, { name: 'Family' }).subscribe(({ type, link }) =>
 *   console.log(type, link.rel),
 * );
 * // prints: added contact
 * // prints: added presenceSubscription
 * // prints: updated contactPresence
 * watching.unsubscribe();
 * await ucwa.drain();
 * ```
 */
export function groupPresence(
  ucwa: Ucwa,
  group: GroupSelection,
  options: LifetimeOptions = {},
): Observable<UcwaEvent> {
  const session = sessionOf(ucwa);
  const lifetime = lifetimeOf(objectOption('options', options, LIFETIME_RULES));
  const { id, name } = objectOption('group', group);
  if (!isText(id ?? name)) throw invalidOption('group', group, 'a group with an id or a name');
  const { onLost, durationMinutes } = lifetime;
  const type = groupSubscription(session, { id, name }, durationMinutes);
  return defer(() =>
    recreatingSubscription({
      ...{ session, type, onLost, source: eventSource(session, { type: 'members' }) },
      select: ({ event }) => event,
    }),
  ).pipe(shared(session, lifetime), untilClosed(session.ledger, 'groupPresence'));
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
