import { map, type Observable, of } from 'rxjs';
import type { HttpRequest, HttpResponse } from '../../../core/transport/transport.ts';
import {
  type SimulatedResponse,
  APPLICATION_NOT_FOUND,
  BAD_PARAMETER,
  NOT_ALLOWED,
  NOT_FOUND,
  ok,
  responseTo,
  TOKEN_REQUIRED,
} from '../responses.ts';
import { type UcwaBackend, withBody } from './backend.ts';
import { contactPartOf } from '../contacts.ts';
import { myContacts, onGroups, onMe } from './me.ts';
import type { SimulatedApplication } from '../model.ts';
import {
  applicationResource,
  peopleResource,
  PLAIN_RESOURCES,
  plainResource,
  subscribedContactsResource,
} from '../resources.ts';
import { onContactsAndGroups, onMemberships, onSubscription, onSubscriptions } from './subscriptions.ts';
import { isXframe, xframeResponse } from './xframe.ts';

/** Responds to a request as documented. */
export function route(backend: UcwaBackend, request: HttpRequest): Observable<HttpResponse> {
  const responding = (response$: Observable<SimulatedResponse>): Observable<HttpResponse> =>
    response$.pipe(map((response) => responseTo(request, response)));
  const { pathname } = new URL(request.url);
  if (isXframe(pathname)) return of(xframeResponse(request, backend.allowedOrigins));
  const [scheme, token] = (request.headers?.['authorization'] ?? '').split(' ');
  if (scheme !== 'Bearer' || token === undefined || !backend.acceptsToken(token))
    return responding(of(TOKEN_REQUIRED));
  if (pathname === backend.root) return responding(of(createApplication(backend, request)));
  if (!pathname.startsWith(`${backend.root}/`)) return responding(of(NOT_FOUND));
  const segments = segmentsOf(pathname.slice(backend.root.length + 1));
  if (segments === undefined) return responding(of(BAD_PARAMETER));
  const [id = '', ...rest] = segments;
  const application = backend.find(id);
  if (application === undefined) return responding(of(APPLICATION_NOT_FOUND));
  const resource = rest.join('/');
  if (resource === 'batch') return backend.batch(request);
  if (resource === 'events')
    return responding(request.method === 'GET' ? application.queue.poll(request) : of(NOT_ALLOWED));
  return responding(of(respondOn(backend, application, rest, request)));
}

/** Returns the segments of a path; undefined if one is not UTF-8. */
function segmentsOf(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function respondOn(
  backend: UcwaBackend,
  application: SimulatedApplication,
  segments: readonly string[],
  request: HttpRequest,
): SimulatedResponse {
  const [first, second, third, ...more] = segments;
  if (first === undefined) return onApplication(backend, application, request);
  if (
    first === 'me' ||
    segments.join('/') === 'communication/makeMeAvailable' ||
    first === 'reportMyActivity'
  )
    return onMe(application, segments, request);
  if (first === 'groups') return onGroups(backend, application, segments.slice(1), request);
  const forGet = (body: object): SimulatedResponse => (request.method === 'GET' ? ok(body) : NOT_ALLOWED);
  if (PLAIN_RESOURCES.has(first) && second === undefined) return forGet(plainResource(application, first));
  if (first !== 'people' || more.length > 0) return NOT_FOUND;
  if (second === undefined) return forGet(peopleResource(application));
  if (second === 'presenceSubscriptions') {
    return third === undefined
      ? onSubscriptions(backend, application, request)
      : onSubscription(backend, application, third, request);
  }
  if (second === 'presenceSubscriptionMemberships')
    return onMemberships(backend, application, third, request);
  if (second === 'myContactsAndGroupsSubscription') return onContactsAndGroups(application, third, request);
  if (request.method !== 'GET') return NOT_ALLOWED;
  if (third === undefined && second === 'subscribedContacts')
    return ok(subscribedContactsResource(application));
  if (third === undefined && second === 'contacts') return ok(myContacts(backend, application));
  return onContact(backend, application, second, third);
}

function createApplication(backend: UcwaBackend, request: HttpRequest): SimulatedResponse {
  if (request.method !== 'POST') return NOT_ALLOWED;
  return withBody(request, ({ culture, endpointId, userAgent, instanceId }) => {
    if (!isShortText(culture) || !isShortText(endpointId) || !isShortText(userAgent)) return BAD_PARAMETER;
    if (instanceId !== undefined && !isShortText(instanceId)) return BAD_PARAMETER;
    const { application, isNew } = backend.create({
      ...{ culture, endpointId, userAgent },
      ...(instanceId === undefined ? {} : { instanceId }),
    });
    return { status: isNew ? 201 : 200, body: applicationResource(application) };
  });
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 100;
}

function onApplication(
  backend: UcwaBackend,
  application: SimulatedApplication,
  { method }: HttpRequest,
): SimulatedResponse {
  if (method === 'GET') return ok(applicationResource(application));
  if (method !== 'DELETE') return NOT_ALLOWED;
  backend.end(application);
  return { status: 204 };
}

function onContact(
  { contacts }: UcwaBackend,
  application: SimulatedApplication,
  segment: string,
  partSegment: string | undefined,
): SimulatedResponse {
  const address = contacts.addressOfSegment(segment);
  const href = application.contactHref(address);
  if (partSegment === undefined) return ok(contacts.contact(address, href));
  const part = contactPartOf(partSegment);
  return part === undefined ? NOT_FOUND : ok(contacts.part(part, address, href));
}
