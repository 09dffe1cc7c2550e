import type { HttpRequest } from '../../../core/transport/transport.ts';
import { addressOf } from '../../../ucwa/protocol/href.ts';
import {
  type SimulatedResponse,
  BAD_PARAMETER,
  LIMIT_EXCEEDED,
  NOT_ALLOWED,
  NOT_FOUND,
  ok,
} from '../responses.ts';
import { type UcwaBackend, minutesIn } from './backend.ts';
import type { SimulatedApplication } from '../model.ts';
import { subscriptionResource } from '../resources.ts';

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
