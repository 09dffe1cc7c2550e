import { of } from 'rxjs';
import { headersFrom, type HttpRequest, type HttpResponse } from '../../core/transport/transport.ts';
import type { EwsResponses } from './responses/responses.ts';
import { type EwsDialect, EwsErrorResponse, isGrommunio } from './dialect.ts';
import { SchemaViolation, type RequestedFolder } from './requests/elements.ts';
import type { DescribedFolder, EwsMailboxes } from './mailbox.ts';
import type { PushSubscriptions } from './push.ts';
import {
  type EwsRequest,
  type ImpersonatedUser,
  type ReadRequest,
  readRequest,
} from './requests/readRequest.ts';
import type { EwsStreams } from './streaming/streaming.ts';
import type { SubscriptionStore } from './subscriptions.ts';

/** The part of a simulated server that responds to requests. */
interface EwsServer {
  /** Executes a request, and returns its response. */
  respond(request: HttpRequest): HttpResponse;
  /** Lets the next operations fail with an error, without executing them. */
  failNext(count: number, refusal: EwsErrorResponse, operation?: FailingOperation): void;
  /** Takes the error prepared for the next post, if any. */
  takePostError(): EwsErrorResponse | undefined;
  /** Removes the prepared errors. */
  clearFailures(): void;
  /** Changes the Authorization header that requests must have. */
  setAuthorization(authorization: string): void;
}

/** An operation that can fail; the error of `SendNotification` is posted in place of the events. */
type FailingOperation = EwsRequest['operation'] | 'SendNotification';

interface PreparedError {
  left: number;
  readonly refusal: EwsErrorResponse;
  readonly operation: FailingOperation | undefined;
}

const PATH = '/ews/exchange.asmx';
const KNOWN_VERSION = /^Exchange20(07(_SP1)?|10(_SP[12])?|13(_SP1)?|16)$/;

/** Creates the part of a server that responds to requests. */
export function ewsServer(
  mailboxes: EwsMailboxes,
  store: SubscriptionStore,
  streams: EwsStreams,
  pushes: PushSubscriptions,
  answers: EwsResponses,
  dialect: EwsDialect,
  initialAuthorization: string | undefined,
): EwsServer {
  let authorization = initialAuthorization;
  let prepared: PreparedError[] = [];

  const takePrepared = (
    matches: (operation: FailingOperation | undefined) => boolean,
  ): EwsErrorResponse | undefined => {
    const first = prepared.find(({ operation }) => matches(operation));
    if (first === undefined) return undefined;
    first.left -= 1;
    prepared = prepared.filter(({ left }) => left > 0);
    return first.refusal;
  };

  const act = (
    { request, impersonated }: ReadRequest,
    identity: HttpRequest,
  ): string | HttpResponse['body$'] => {
    const refusal = takePrepared((operation) => (operation ?? request.operation) === request.operation);
    if (refusal !== undefined) throw refusal;
    switch (request.operation) {
      case 'Subscribe': {
        pushes.check(request.callback);
        const { id, watermark } = store.subscribe(request, impersonated);
        pushes.begin(id, request.callback);
        return answers.subscribed(id, watermark);
      }
      case 'GetFolder': {
        const found = request.folders.map((folder) => describe(mailboxes, folder, impersonated));
        return answers.folders(found, request.properties);
      }
      case 'ConvertId': {
        // This server has ids in one format only.
        const malformed = new EwsErrorResponse('error', 'ErrorInvalidIdMalformed', 'Id is malformed.');
        return answers.error('ConvertId', malformed, request.idCount);
      }
      case 'GetEvents': {
        const { subscriptionId, watermark = '' } = request;
        return answers.events(store.getEvents(subscriptionId, watermark, impersonated));
      }
      case 'GetStreamingEvents':
        return streams.connect({ ...request, impersonated }, identity);
      case 'Unsubscribe':
        store.unsubscribe(request.subscriptionId, impersonated);
        streams.removed(request.subscriptionId);
        return answers.unsubscribed();
    }
  };

  const xml = (request: HttpRequest, status: number, body: string | HttpResponse['body$']): HttpResponse =>
    // grommunio omits the charset.
    respond(request, status, isGrommunio(dialect) ? 'text/xml' : 'text/xml; charset=utf-8', body);

  const refused = (request: HttpRequest, operation: string, refusal: EwsErrorResponse): HttpResponse => {
    const isServerError = refusal.type === 'fault' && !isGrommunio(dialect);
    return xml(request, isServerError ? 500 : 200, answers.error(operation, refusal));
  };

  const respondToEnvelope = (request: HttpRequest): HttpResponse => {
    const read = readOrFail(request.body ?? '', dialect);
    if (read instanceof EwsErrorResponse) return xml(request, 500, answers.error('', read));
    try {
      return xml(request, 200, act(read, request));
    } catch (error) {
      if (error instanceof EwsErrorResponse) return refused(request, read.request.operation, error);
      throw error;
    }
  };

  return {
    respond: (request) => {
      const headers = request.headers ?? {};
      if (authorization !== undefined && headers['authorization'] !== authorization) {
        return respond(request, 401, 'text/plain', 'Unauthorized', {
          'www-authenticate': authorization.startsWith('Basic') ? 'Basic realm="EWS"' : 'Bearer',
        });
      }
      if (new URL(request.url).pathname.toLowerCase() !== PATH) return respond(request, 404);
      if (request.method !== 'POST') return respond(request, 405);
      if (!/^text\/xml\b/i.test(headers['content-type'] ?? '')) return respond(request, 415);
      return respondToEnvelope(request);
    },
    failNext: (count, refusal, operation) => {
      prepared.push({ left: count, refusal, operation });
    },
    takePostError: () => takePrepared((operation) => operation === 'SendNotification'),
    clearFailures: () => {
      prepared = [];
    },
    setAuthorization: (value) => {
      authorization = value;
    },
  };
}

function readOrFail(body: string, dialect: EwsDialect): ReadRequest | EwsErrorResponse {
  try {
    const read = readRequest(body);
    const { request } = read;
    if (!isGrommunio(dialect) && request.operation === 'GetEvents' && request.watermark === undefined)
      throw new SchemaViolation('m:GetEvents lacks m:Watermark');
    if (read.version !== undefined && !KNOWN_VERSION.test(read.version)) {
      return new EwsErrorResponse(
        'fault',
        'ErrorInvalidServerVersion',
        'The specified server version is invalid.',
      );
    }
    return read;
  } catch (error) {
    const violation = error instanceof Error ? error.message : 'unknown';
    if (isGrommunio(dialect)) return new EwsErrorResponse('fault', 'SOAP:Server', 'Invalid XML');
    return new EwsErrorResponse('fault', 'ErrorSchemaValidation', 'The request failed schema validation.', {
      Violation: violation,
    });
  }
}

function describe(
  mailboxes: EwsMailboxes,
  requested: RequestedFolder,
  impersonated: ImpersonatedUser | undefined,
): DescribedFolder | EwsErrorResponse {
  const mailbox = mailboxes.of(mailboxes.addressOf(requested, impersonated?.name));
  const id = mailbox.resolveFolder(requested.id, requested.distinguished);
  const folder = id === undefined ? undefined : mailbox.describeFolder(id);
  return (
    folder ?? new EwsErrorResponse('error', 'ErrorFolderNotFound', 'The specified folder could not be found.')
  );
}

function respond(
  { url }: HttpRequest,
  status: number,
  contentType = 'text/plain',
  body: string | HttpResponse['body$'] = '',
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    url,
    headers: headersFrom({ 'content-type': contentType, ...headers }),
    body$: typeof body === 'string' ? of(new TextEncoder().encode(body)) : body,
  };
}
