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
import { eventFilter } from '../subscription/eventFilter.ts';
import { checkLifetime, LIFETIME_NAMES, type LifetimeOptions, shared } from '../subscription/options.ts';
import { recreatingSubscription } from '../subscription/subscription.ts';
import {
  type Created,
  extendPresence,
  presenceSubscriptionIn,
  removePresence,
  type SubscriptionType,
  withDuration,
} from '../subscription/subscriptionType.ts';

/**
 * Which group of the user's: by its id or its name, as in the resource itself. Its href would not do: it does
 * not outlive the application.
 */
export interface GroupSelection {
  /** Its `id`; where it is given, the name does not matter. */
  readonly id?: unknown;
  /** Its `name`, as the user sees it. */
  readonly name?: unknown;
}

/**
 * Subscriptions to the presence of those who are in a group when it is subscribed to.
 * [SubscribeToThePresenceOfAGroupOfContacts, subscribeToGroupPresence_ref]
 */
function groupSubscription(
  { transport }: UcwaSession,
  group: GroupSelection,
  durationMinutes: number,
): SubscriptionType {
  /** Where the group is subscribed to: the link has the id of the group in its query already. */
  const found = (application: LiveApplication): Observable<string> =>
    defer(() => {
      const url = linkOf(application.people, 'myGroups', application.self);
      return requestJson(transport, { method: 'GET', url }, resourceCodec, 'myGroups');
    }).pipe(
      map(({ value, url }) => {
        const groups = Object.values(value._embedded ?? {}).flatMap((one) => listOf(one));
        const one = groups.find((candidate) => isSelected(candidate, group));
        if (one !== undefined && hrefOf(one, 'subscribeToGroupPresence') !== undefined) {
          return linkOf(one, 'subscribeToGroupPresence', url);
        }
        throw new DecodeError('myGroups', {
          path: '/_embedded',
          expected: 'the wanted group, with a link to subscribe to its presence',
          actual: one === undefined ? `${groups.length} other groups` : 'the group without that link',
        });
      }),
    );

  const create = (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Created> =>
    found(application).pipe(
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
 * Returns an Observable that subscribes to the presence of all who are in a group of the user's at that time,
 * emits the events of these contacts and of the subscription, and removes it from the server when it is
 * unsubscribed from.
 *
 * It lives as {@link presence} does: it is extended, and made again where the server has ended or lost it. The
 * group is looked up anew each time, so a group that is not there is an error then. The group is given by its
 * `id` or its `name`; the resource of the group has both. It throws a TypeError that names the option for one
 * that cannot be used. [SubscribeToThePresenceOfAGroupOfContacts]
 *
 * @example
 * ```ts
 * import { connect, groupPresence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0, groups: { Family: ['sip:sara@contoso.com'] } });
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
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
  const internals = sessionOf(ucwa);
  const lifetime = checkLifetime(objectOption('options', options, LIFETIME_NAMES));
  const { id, name } = objectOption('group', group);
  if (!isText(id ?? name)) throw invalidOption('group', group, 'a group with an id or a name');
  const own$ = defer(() => {
    const kind = groupSubscription(internals, { id, name }, lifetime.durationMinutes);
    return recreatingSubscription(
      internals,
      kind,
      eventFilter(internals, { kind: 'members' }),
      lifetime.onEnd,
    );
  });
  return own$.pipe(shared(internals, lifetime), untilClosed(internals.ledger, 'groupPresence'));
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
