import { map, type Observable, of } from 'rxjs';
import type { HttpRequest, HttpResponse } from '../../../core/transport/transport.ts';
import {
  type Answer,
  APPLICATION_NOT_FOUND,
  BAD_PARAMETER,
  NOT_ALLOWED,
  NOT_FOUND,
  ok,
  responseTo,
  TOKEN_REQUIRED,
} from '../responses.ts';
import type { UcwaBackend } from './backend.ts';
import { contactPartAt } from '../contacts.ts';
import { myContacts, onGroups } from './groups.ts';
import { onMe } from './me.ts';
import { withBody } from './requestBody.ts';
import type { SimulatedApplication } from '../model.ts';
import {
  applicationResource,
  peopleResource,
  PLAIN_RESOURCES,
  plainResource,
  subscribedContacts,
} from '../resources.ts';
import { onContactsAndGroups, onMemberships, onSubscription, onSubscriptions } from './subscriptions.ts';
import { isXframe, xframeResponse } from './xframe.ts';

/** Answers one request as the documented server does. */
export function route(backend: UcwaBackend, request: HttpRequest): Observable<HttpResponse> {
  const answered = (answer$: Observable<Answer>): Observable<HttpResponse> =>
    answer$.pipe(map((answer) => responseTo(request, answer)));
  const { pathname } = new URL(request.url);
  if (isXframe(pathname)) return of(xframeResponse(request));
  const [scheme, token] = (request.headers?.['authorization'] ?? '').split(' ');
  if (scheme !== 'Bearer' || token === undefined || !backend.isGoodToken(token))
    return answered(of(TOKEN_REQUIRED));
  if (pathname === backend.root) return answered(of(createApplication(backend, request)));
  if (!pathname.startsWith(`${backend.root}/`)) return answered(of(NOT_FOUND));
  const steps = stepsIn(pathname.slice(backend.root.length + 1));
  if (steps === undefined) return answered(of(BAD_PARAMETER));
  const [id = '', ...rest] = steps;
  const application = backend.find(id);
  if (application === undefined) return answered(of(APPLICATION_NOT_FOUND));
  const place = rest.join('/');
  if (place === 'batch') return backend.batch(request);
  if (place === 'events')
    return answered(request.method === 'GET' ? application.queue.poll(request) : of(NOT_ALLOWED));
  return answered(of(answerOn(backend, application, rest, request)));
}

/** The steps of a path; undefined if one of them is no text in UTF-8. */
function stepsIn(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function answerOn(
  backend: UcwaBackend,
  application: SimulatedApplication,
  steps: readonly string[],
  request: HttpRequest,
): Answer {
  const [first, second, third, ...more] = steps;
  if (first === undefined) return onApplication(backend, application, request);
  if (first === 'me' || steps.join('/') === 'communication/makeMeAvailable' || first === 'reportMyActivity')
    return onMe(application, steps, request);
  if (first === 'groups') return onGroups(backend, application, steps.slice(1), request);
  const shown = (body: object): Answer => (request.method === 'GET' ? ok(body) : NOT_ALLOWED);
  if (PLAIN_RESOURCES.has(first) && second === undefined) return shown(plainResource(application, first));
  if (first !== 'people' || more.length > 0) return NOT_FOUND;
  if (second === undefined) return shown(peopleResource(application));
  if (second === 'presenceSubscriptions') {
    return third === undefined
      ? onSubscriptions(backend, application, request)
      : onSubscription(backend, application, third, request);
  }
  if (second === 'presenceSubscriptionMemberships')
    return onMemberships(backend, application, third, request);
  if (second === 'myContactsAndGroupsSubscription') return onContactsAndGroups(application, third, request);
  if (request.method !== 'GET') return NOT_ALLOWED;
  if (third === undefined && second === 'subscribedContacts') return ok(subscribedContacts(application));
  if (third === undefined && second === 'contacts') return ok(myContacts(backend, application));
  return onContact(backend, application, second, third);
}

function createApplication(backend: UcwaBackend, request: HttpRequest): Answer {
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
): Answer {
  if (method === 'GET') return ok(applicationResource(application));
  if (method !== 'DELETE') return NOT_ALLOWED;
  backend.end(application);
  return { status: 204 };
}

function onContact(
  { contacts }: UcwaBackend,
  application: SimulatedApplication,
  step: string,
  what: string | undefined,
): Answer {
  const address = contacts.addressAt(step);
  const href = application.contactHref(address);
  if (what === undefined) return ok(contacts.contact(address, href));
  const part = contactPartAt(what);
  return part === undefined ? NOT_FOUND : ok(contacts.part(part, address, href));
}
