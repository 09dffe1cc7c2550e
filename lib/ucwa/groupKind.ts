import { defer, map, mergeMap, type Observable } from 'rxjs';
import { DecodeError } from '../core/errors.ts';
import type { RequestProgress } from '../core/transport.ts';
import { type LiveApplication, linkOf } from './liveApplication.ts';
import type { UcwaInternals } from './connect.ts';
import {
  extendPresence,
  presenceSubscriptionIn,
  removePresence,
  withDuration,
} from './presenceSubscription.ts';
import { requestJson } from './request.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';
import { hrefOf, listOf, presenceSubscriptionCodec, type Resource, resourceCodec } from './wire.ts';

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
export function groupKind(
  { transport }: UcwaInternals,
  group: GroupSelection,
  durationMinutes: number,
): SubscriptionKind {
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
