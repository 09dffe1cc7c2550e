import { map, type Observable, of } from 'rxjs';
import type { HttpRequest, HttpResponse, Transport } from '../core/transport.ts';
import { type Answer, APPLICATION_NOT_FOUND, refusal, responseTo, TOKEN_REQUIRED } from './ucwaAnswers.ts';
import { addressOf } from '../ucwa/href.ts';
import { contactPartAt, type SimulatedContacts } from './ucwaContacts.ts';
import {
  type ApplicationIdentity,
  applicationResource,
  type HeldSubscription,
  type SimulatedApplication,
  contactsAndGroupsResource,
  groupsResource,
  membershipsResource,
  peopleResource,
  subscribedContacts,
  subscriptionResource,
  subscriptionsResource,
} from './ucwaResources.ts';

/** What the routes need of the server behind them. */
export interface UcwaBackend {
  /** The path of `applications`. */
  readonly root: string;
  readonly extensionStatus: number;
  /** How many contacts can be asked for in one request. */
  readonly maxContactsAtOnce: number;
  /** The addresses in each group of the user, by its name. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  isGoodToken(token: string): boolean;
  find(applicationId: string): SimulatedApplication | undefined;
  /** The application of this identity; a second one of the same identity is the first. */
  create(identity: ApplicationIdentity): {
    readonly application: SimulatedApplication;
    readonly isNew: boolean;
  };
  end(application: SimulatedApplication): void;
  /** Undefined where no more of them are allowed. */
  subscribe(
    application: SimulatedApplication,
    uris: readonly string[],
    minutes: number,
    isOfGroup: boolean,
  ): HeldSubscription | undefined;
  readonly contacts: SimulatedContacts;
  /** Answers what was sent to `batch`. */
  readonly batch: Transport;
}

const NOT_ALLOWED = refusal(405, 'MethodNotAllowed');
const BAD_PARAMETER = refusal(400, 'BadRequest', 'ParameterValidationFailure');
const NOT_FOUND = refusal(404, 'NotFound');
const LIMIT_EXCEEDED = refusal(403, 'Forbidden', 'LimitExceeded');

/** Answers one request as the documented server does. */
export function route(backend: UcwaBackend, request: HttpRequest): Observable<HttpResponse> {
  const answered = (answer$: Observable<Answer>): Observable<HttpResponse> =>
    answer$.pipe(map((answer) => responseTo(request, answer)));
  const [scheme, token] = (request.headers?.['authorization'] ?? '').split(' ');
  if (scheme !== 'Bearer' || token === undefined || !backend.isGoodToken(token))
    return answered(of(TOKEN_REQUIRED));
  const { pathname } = new URL(request.url);
  if (pathname === backend.root) return answered(of(createApplication(backend, request)));
  if (!pathname.startsWith(`${backend.root}/`)) return answered(of(NOT_FOUND));
  const [id = '', ...steps] = pathname
    .slice(backend.root.length + 1)
    .split('/')
    .map(decodeURIComponent);
  const application = backend.find(id);
  if (application === undefined) return answered(of(APPLICATION_NOT_FOUND));
  const [first, ...rest] = steps;
  if (rest.length === 0 && first === 'batch') return backend.batch(request);
  if (rest.length === 0 && first === 'events')
    return answered(request.method === 'GET' ? application.queue.poll(request) : of(NOT_ALLOWED));
  return answered(of(answerOn(backend, application, steps, request)));
}

function answerOn(
  backend: UcwaBackend,
  application: SimulatedApplication,
  steps: readonly string[],
  request: HttpRequest,
): Answer {
  const [first, second, third, ...more] = steps;
  if (first === undefined) return onApplication(backend, application, request);
  if (first === 'groups' && more.length === 0) return onGroups(backend, application, second, third, request);
  if (first !== 'people' || more.length > 0) return NOT_FOUND;
  if (second === undefined) return request.method === 'GET' ? ok(peopleResource(application)) : NOT_ALLOWED;
  if (second === 'presenceSubscriptions') {
    return third === undefined
      ? onSubscriptions(backend, application, request)
      : onSubscription(backend, application, third, request);
  }
  if (second === 'presenceSubscriptionMemberships')
    return onMemberships(backend, application, third, request);
  if (second === 'myContactsAndGroupsSubscription') return onContactsAndGroups(application, third, request);
  if (request.method !== 'GET') return NOT_ALLOWED;
  if (second === 'subscribedContacts') return ok(subscribedContacts(application));
  return onContact(backend, application, second, third);
}

function ok(body: object): Answer {
  return { status: 200, body };
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

function onSubscriptions(
  backend: UcwaBackend,
  application: SimulatedApplication,
  request: HttpRequest,
): Answer {
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

function onSubscription(
  backend: UcwaBackend,
  application: SimulatedApplication,
  id: string,
  { method, url }: HttpRequest,
): Answer {
  const subscription = application.subscriptions.get(id);
  // The documented answer for an expired subscription is the one for a dead application.
  if (subscription === undefined) return APPLICATION_NOT_FOUND;
  if (method === 'GET') return ok(subscriptionResource(application, id));
  if (method === 'DELETE') {
    application.remove(subscription);
    return { status: 204 };
  }
  if (method !== 'POST') return NOT_ALLOWED;
  const minutes = minutesIn(Number(new URL(url).searchParams.get('duration') ?? Number.NaN));
  if (minutes === undefined) return BAD_PARAMETER;
  application.extend(subscription, minutes);
  return { status: backend.extensionStatus, body: subscriptionResource(application, id) };
}

function onGroups(
  backend: UcwaBackend,
  application: SimulatedApplication,
  id: string | undefined,
  what: string | undefined,
  { method, url }: HttpRequest,
): Answer {
  const { groups } = backend;
  if (id === undefined)
    return method === 'GET' ? ok(groupsResource(application, [...groups.keys()])) : NOT_ALLOWED;
  const query = new URL(url).searchParams;
  const uris = groups.get(query.get('groupId') ?? '');
  if (what !== 'subscribeToGroupPresence' || uris === undefined) return NOT_FOUND;
  if (method !== 'POST') return NOT_ALLOWED;
  const minutes = minutesIn(Number(query.get('duration') ?? Number.NaN));
  if (minutes === undefined) return BAD_PARAMETER;
  const subscription = backend.subscribe(application, uris, minutes, true);
  if (subscription === undefined) return LIMIT_EXCEEDED;
  return { status: 201, body: subscriptionResource(application, subscription.id) };
}

function onContactsAndGroups(
  application: SimulatedApplication,
  what: string | undefined,
  { method, url }: HttpRequest,
): Answer {
  if (what === undefined) return method === 'GET' ? ok(contactsAndGroupsResource(application)) : NOT_ALLOWED;
  if (method !== 'POST') return NOT_ALLOWED;
  if (what === 'stopSubscriptionToContactsAndGroups') {
    application.contactsAndGroupsUntil = undefined;
    return { status: 204 };
  }
  if (what !== 'startOrRefreshSubscriptionToContactsAndGroups') return NOT_FOUND;
  const minutes = minutesIn(Number(new URL(url).searchParams.get('duration') ?? Number.NaN));
  if (minutes === undefined) return BAD_PARAMETER;
  application.refreshContactsAndGroups(minutes);
  return { status: 201, body: contactsAndGroupsResource(application) };
}

function onMemberships(
  backend: UcwaBackend,
  application: SimulatedApplication,
  step: string | undefined,
  request: HttpRequest,
): Answer {
  if (step !== undefined) {
    const [id = '', address = ''] = step.split(',');
    const subscription = application.subscriptions.get(id);
    if (subscription?.members.has(address) !== true) return NOT_FOUND;
    if (request.method !== 'DELETE') return NOT_ALLOWED;
    application.dropMember(subscription, address);
    return { status: 204 };
  }
  const id = new URL(request.url).searchParams.get('presenceSubscriptionId') ?? '';
  const subscription = application.subscriptions.get(id);
  if (subscription === undefined) return NOT_FOUND;
  if (request.method === 'GET') return ok(membershipsResource(application, subscription));
  if (request.method !== 'POST') return NOT_ALLOWED;
  return withBody(request, ({ contactUris }) => {
    const uris = urisIn(contactUris);
    if (uris === undefined) return BAD_PARAMETER;
    if (uris.length > backend.maxContactsAtOnce) return LIMIT_EXCEEDED;
    application.addMembers(subscription, uris.map(addressOf));
    return { status: 201, body: membershipsResource(application, subscription) };
  });
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

/** Answers with what `act` makes of the body, or refuses a body that is no JSON object. */
function withBody(request: HttpRequest, act: (body: Readonly<Record<string, unknown>>) => Answer): Answer {
  if (!/json/i.test(request.headers?.['content-type'] ?? '')) return refusal(415, 'UnsupportedMediaType');
  const body = parsed(request.body ?? '');
  return isRecord(body) ? act(body) : refusal(400, 'BadRequest', 'DeserializationFailure');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function minutesIn(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 10 && value <= 30 ? value : undefined;
}

function urisIn(value: unknown): readonly string[] | undefined {
  const isList = Array.isArray(value) && value.length > 0;
  return isList && value.every((uri) => typeof uri === 'string' && /^sips?:.+@/i.test(uri))
    ? (value as string[])
    : undefined;
}
