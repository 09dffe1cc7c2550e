import type { HttpRequest } from '../../../core/transport/transport.ts';
import { type SimulatedResponse, errorResponse } from '../responses.ts';

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
