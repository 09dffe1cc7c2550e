import type { Transport, HttpRequest } from '../../../core/transport/transport.ts';
import type { SimulatedContacts } from '../contacts.ts';
import type { ApplicationIdentity, StoredSubscription, SimulatedApplication } from '../model.ts';
import { type SimulatedResponse, errorResponse } from '../responses.ts';

/** The parts of the server that the routes use. */
export interface UcwaBackend {
  /** The path of `applications`. */
  readonly root: string;
  readonly extensionStatus: number;
  /** The largest number of contacts in one request. */
  readonly maxContactsAtOnce: number;
  /** The addresses in each group of the user, by the name of the group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** The origins that may use the XFrame page. */
  readonly allowedOrigins: readonly string[];
  acceptsToken(token: string): boolean;
  find(applicationId: string): SimulatedApplication | undefined;
  /** Returns the application of this identity, new or existing. */
  create(identity: ApplicationIdentity): {
    readonly application: SimulatedApplication;
    readonly isNew: boolean;
  };
  end(application: SimulatedApplication): void;
  /** Creates a subscription; returns undefined if no more are allowed. */
  subscribe(
    application: SimulatedApplication,
    uris: readonly string[],
    minutes: number,
    isOfGroup: boolean,
  ): StoredSubscription | undefined;
  readonly contacts: SimulatedContacts;
  /** Responds to batches. */
  readonly batch: Transport;
}

/** Returns the result of `act` for the body, or an error response if the body is not a JSON object. */
export function withBody(
  request: HttpRequest,
  act: (body: Readonly<Record<string, unknown>>) => SimulatedResponse,
): SimulatedResponse {
  if (!/json/i.test(request.headers?.['content-type'] ?? ''))
    return errorResponse(415, 'UnsupportedMediaType');
  const body = parsed(request.body ?? '');
  return isRecord(body) ? act(body) : errorResponse(400, 'BadRequest', 'DeserializationFailure');
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

/** Returns the duration of a subscription in minutes; undefined if it is not allowed. */
export function minutesIn(value: unknown): number | undefined {
  const minutes = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof minutes === 'number' && minutes >= 10 && minutes <= 30 ? minutes : undefined;
}
