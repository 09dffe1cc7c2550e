import type { HttpRequest } from '../../../core/transport/transport.ts';
import { addressOf } from '../../../ucwa/protocol/href.ts';
import type { SimulatedApplication } from '../model.ts';
import {
  contactsAndGroupsResource,
  membershipResource,
  membershipsResource,
  subscriptionResource,
  subscriptionsResource,
} from '../resources.ts';
import {
  type SimulatedResponse,
  APPLICATION_NOT_FOUND,
  BAD_PARAMETER,
  LIMIT_EXCEEDED,
  NOT_ALLOWED,
  NOT_FOUND,
  ok,
} from '../responses.ts';
import { type UcwaBackend, minutesIn, withBody } from './backend.ts';

/** Responds for `presenceSubscriptions`. */
export function onSubscriptions(
  backend: UcwaBackend,
  application: SimulatedApplication,
  request: HttpRequest,
): SimulatedResponse {
  if (request.method === 'GET') return ok(subscriptionsResource(application));
  if (request.method !== 'POST') return NOT_ALLOWED;
  return withBody(request, (body) => {
    const uris = urisIn(body['uris'] ?? body['Uris']);
    const minutes = minutesIn(body['duration']);
    if (uris === undefined || minutes === undefined) return BAD_PARAMETER;
    if (uris.length > backend.maxContactsAtOnce) return LIMIT_EXCEEDED;
    const subscription = backend.subscribe(application, uris, minutes, false);
    if (subscription === undefined) return LIMIT_EXCEEDED;
    return { status: 201, body: subscriptionResource(application, subscription.id) };
  });
}

/** Responds for one presence subscription. */
export function onSubscription(
  backend: UcwaBackend,
  application: SimulatedApplication,
  id: string,
  { method, url }: HttpRequest,
): SimulatedResponse {
  const subscription = application.subscriptions.get(id);
  // For an expired subscription, the documented response is that for an unknown application.
  if (subscription === undefined) return APPLICATION_NOT_FOUND;
  if (method === 'GET') return ok(subscriptionResource(application, id));
  if (method === 'DELETE') {
    application.remove(subscription);
    return { status: 204 };
  }
  if (method !== 'POST') return NOT_ALLOWED;
  const minutes = minutesIn(new URL(url).searchParams.get('duration'));
  if (minutes === undefined) return BAD_PARAMETER;
  application.extend(subscription, minutes);
  return { status: backend.extensionStatus, body: subscriptionResource(application, id) };
}

/** Responds for the subscription to the user's contacts and groups. */
export function onContactsAndGroups(
  application: SimulatedApplication,
  operation: string | undefined,
  { method, url }: HttpRequest,
): SimulatedResponse {
  if (operation === undefined)
    return method === 'GET' ? ok(contactsAndGroupsResource(application)) : NOT_ALLOWED;
  if (method !== 'POST') return NOT_ALLOWED;
  if (operation === 'stopSubscriptionToContactsAndGroups') {
    application.contactsAndGroupsExpiresAt = undefined;
    return { status: 204 };
  }
  if (operation !== 'startOrRefreshSubscriptionToContactsAndGroups') return NOT_FOUND;
  const minutes = minutesIn(new URL(url).searchParams.get('duration'));
  if (minutes === undefined) return BAD_PARAMETER;
  application.refreshContactsAndGroups(minutes);
  return { status: 201, body: contactsAndGroupsResource(application) };
}

/** Responds for the memberships of presence subscriptions. */
export function onMemberships(
  backend: UcwaBackend,
  application: SimulatedApplication,
  segment: string | undefined,
  request: HttpRequest,
): SimulatedResponse {
  if (segment !== undefined) return onMembership(application, segment, request);
  const { searchParams, search } = new URL(request.url);
  const id = searchParams.get('presenceSubscriptionId');
  const subscription = application.subscriptions.get(id ?? '');
  if (request.method === 'GET' && id === null)
    return ok(membershipsResource(application, [...application.subscriptions.values()], ''));
  if (subscription === undefined) return NOT_FOUND;
  const resource = (): object => membershipsResource(application, [subscription], search);
  if (request.method === 'GET') return ok(resource());
  if (request.method !== 'POST') return NOT_ALLOWED;
  return withBody(request, ({ contactUris }) => {
    const uris = urisIn(contactUris);
    if (uris === undefined) return BAD_PARAMETER;
    if (uris.length > backend.maxContactsAtOnce) return LIMIT_EXCEEDED;
    application.addMembers(subscription, uris.map(addressOf));
    return { status: 201, body: resource() };
  });
}

/** Responds for one membership. An address may contain a comma, an id does not. */
function onMembership(
  application: SimulatedApplication,
  segment: string,
  { method }: HttpRequest,
): SimulatedResponse {
  const [, id = '', written = ''] = /^([^,]*),(.*)$/s.exec(segment) ?? [];
  const subscription = application.subscriptions.get(id);
  const address = addressOf(written);
  if (subscription?.members.has(address) !== true) return NOT_FOUND;
  if (method === 'GET') return ok(membershipResource(application, id, address));
  if (method !== 'DELETE') return NOT_ALLOWED;
  application.removeMember(subscription, address);
  return { status: 204 };
}

function urisIn(value: unknown): readonly string[] | undefined {
  const isList = Array.isArray(value) && value.length > 0;
  return isList && value.every(isSipUri) ? value : undefined;
}

/** Rejects half of a surrogate pair, which an href cannot contain. */
function isSipUri(value: unknown): value is string {
  return typeof value === 'string' && /^sips?:.+@/i.test(value) && !/\p{Surrogate}/u.test(value);
}
