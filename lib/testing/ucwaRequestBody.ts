import type { HttpRequest } from '../core/transport.ts';
import { type Answer, refusal } from './ucwaAnswers.ts';

/** Answers with what `act` makes of the body, or refuses a body that is no JSON object. */
export function withBody(
  request: HttpRequest,
  act: (body: Readonly<Record<string, unknown>>) => Answer,
): Answer {
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
