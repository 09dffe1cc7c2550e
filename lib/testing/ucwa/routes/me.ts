import type { HttpRequest } from '../../../core/transport/transport.ts';
import {
  type SimulatedResponse,
  BAD_PARAMETER,
  NOT_ALLOWED,
  NOT_FOUND,
  ok,
  errorResponse,
  LIMIT_EXCEEDED,
} from '../responses.ts';
import type { SimulatedApplication } from '../model.ts';
import { withBody, type UcwaBackend, minutesIn } from './backend.ts';
import { meResource, subscriptionResource } from '../resources.ts';
import { addressOf } from '../../../ucwa/protocol/href.ts';

const AVAILABILITIES = ['Online', 'Busy', 'DoNotDisturb', 'BeRightBack', 'Away', 'Offwork'];
const REQUIRED = errorResponse(409, 'Conflict', 'MakeMeAvailableRequired');
const DONE: SimulatedResponse = { status: 204 };

/**
 * Responds for the published presence of the user.
 *
 * @see [MS-UCWA] makeMeAvailable_ref, reportMyActivity_ref, me_ref
 */
export function onMe(
  application: SimulatedApplication,
  segments: readonly string[],
  request: HttpRequest,
): SimulatedResponse {
  const { published } = application;
  const { availability } = published;
  switch (segments.join('/')) {
    case 'me':
      return request.method === 'GET' ? ok(meResource(application)) : NOT_ALLOWED;
    case 'me/presence': {
      if (request.method !== 'GET') return NOT_ALLOWED;
      const _links = { self: { href: `${application.href}/me/presence` } };
      return availability === undefined ? REQUIRED : ok({ availability, _links, rel: 'presence' });
    }
    case 'communication/makeMeAvailable':
      return request.method === 'POST' ? makeMeAvailable(application, request) : NOT_ALLOWED;
    case 'reportMyActivity':
      if (request.method !== 'POST') return NOT_ALLOWED;
      if (availability === undefined) return REQUIRED;
      published.report();
      return DONE;
    default:
      return NOT_FOUND;
  }
}

function makeMeAvailable(
  { published, notifyMeChanged }: SimulatedApplication,
  request: HttpRequest,
): SimulatedResponse {
  return withBody(request, ({ signInAs = 'Online', ...requested }) => {
    if (typeof signInAs !== 'string' || !AVAILABILITIES.includes(signInAs)) return BAD_PARAMETER;
    // One page capitalizes the name of this property.
    const modalities = requested['supportedModalities'] ?? requested['SupportedModalities'] ?? [];
    if (!Array.isArray(modalities)) return BAD_PARAMETER;
    if (modalities.some((modality) => modality !== 'Messaging' && modality !== 'PhoneAudio'))
      return errorResponse(403, 'Forbidden');
    if (published.availability !== undefined) return errorResponse(409, 'Conflict', 'AlreadyExists');
    published.signIn(signInAs);
    notifyMeChanged();
    return DONE;
  });
}

/** Responds for the user's groups, which are numbered in the order of the options. */
export function onGroups(
  backend: UcwaBackend,
  application: SimulatedApplication,
  [number, segment, ...more]: readonly string[],
  { method, url }: HttpRequest,
): SimulatedResponse {
  const forGet = (body: object): SimulatedResponse => (method === 'GET' ? ok(body) : NOT_ALLOWED);
  const groups = [...backend.groups];
  if (number === undefined) return forGet(groupsResource(application, [...backend.groups.keys()]));
  const index = Number(number) - 1;
  const [name, uris = []] = groups[index] ?? [];
  if (name === undefined || more.length > 0) return NOT_FOUND;
  const self = `${application.href}/groups/${number}`;
  if (segment === undefined) return forGet(groupResource(application, name, index));
  if (segment === 'contacts')
    return forGet(contactsAt(backend, application, 'groupContacts', `${self}/${segment}`, uris));
  const query = new URL(url).searchParams;
  if (segment !== 'subscribeToGroupPresence' || query.get('groupId') !== name) return NOT_FOUND;
  if (method !== 'POST') return NOT_ALLOWED;
  const minutes = minutesIn(query.get('duration'));
  if (minutes === undefined) return BAD_PARAMETER;
  const subscription = backend.subscribe(application, uris, minutes, true);
  if (subscription === undefined) return LIMIT_EXCEEDED;
  return { status: 201, body: subscriptionResource(application, subscription.id) };
}

/** Returns the contacts of all groups, each once. @see [MS-UCWA] myContacts_ref */
export function myContacts(backend: UcwaBackend, application: SimulatedApplication): object {
  const href = `${application.href}/people/contacts`;
  return contactsAt(backend, application, 'myContacts', href, [...backend.groups.values()].flat());
}

function contactsAt(
  { contacts }: UcwaBackend,
  application: SimulatedApplication,
  rel: string,
  href: string,
  uris: readonly string[],
): object {
  const addresses = [...new Set(uris.map(addressOf))];
  const hrefs = addresses.map((address) => application.contactHref(address));
  return {
    rel,
    _links: { self: { href }, contact: hrefs.map((one) => ({ href: one })) },
    _embedded: {
      contact: addresses.map((address, index) => contacts.contact(address, hrefs[index] ?? '')),
    },
  };
}

function groupsResource(application: SimulatedApplication, names: readonly string[]): object {
  return {
    rel: 'myGroups',
    _links: { self: { href: `${application.href}/groups` } },
    _embedded: { group: names.map((name, index) => groupResource(application, name, index)) },
  };
}

function groupResource({ href }: SimulatedApplication, name: string, index: number): object {
  const id = String(index + 1);
  const self = `${href}/groups/${id}`;
  const groupId = encodeURIComponent(name);
  return {
    ...{ rel: 'group', id, name },
    _links: {
      self: { href: self },
      groupContacts: { href: `${self}/contacts` },
      subscribeToGroupPresence: { href: `${self}/subscribeToGroupPresence?groupId=${groupId}` },
    },
  };
}
