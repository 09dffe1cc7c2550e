import { EMPTY, of } from 'rxjs';
import { headersFrom, type HttpRequest, type HttpResponse } from '../../core/transport/transport.ts';

/** What a simulated server says, before it is put on the wire. */
export interface SimulatedResponse {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error as UCWA tells it. [ErrorsAndInformationalMessages] */
export function errorResponse(status: number, code: string, subcode?: string): SimulatedResponse {
  return {
    status,
    body: {
      code,
      ...(subcode === undefined ? {} : { subcode }),
      message: 'An error occurred. Please retry.',
    },
  };
}

/** What other methods than the documented ones are answered. */
export const NOT_ALLOWED: SimulatedResponse = errorResponse(405, 'MethodNotAllowed');

/** What a request is answered that does not say what it has to say. */
export const BAD_PARAMETER: SimulatedResponse = errorResponse(
  400,
  'BadRequest',
  'ParameterValidationFailure',
);

/** What is answered where there is nothing. */
export const NOT_FOUND: SimulatedResponse = errorResponse(404, 'NotFound');

/** What is answered to who asks for more than there may be. */
export const LIMIT_EXCEEDED: SimulatedResponse = errorResponse(403, 'Forbidden', 'LimitExceeded');

/** What the server answers that knows no such application; the same body is documented for other things too. */
export const APPLICATION_NOT_FOUND: SimulatedResponse = errorResponse(404, 'NotFound', 'ApplicationNotFound');

/** What a P-GET is answered when another has taken its place. [EventChannelDetails] */
export const P_GET_REPLACED: SimulatedResponse = errorResponse(409, 'Conflict', 'PGetReplaced');

/** What a request without a good token is answered. [AuthenticationInUCWA] */
export const TOKEN_REQUIRED: SimulatedResponse = {
  ...errorResponse(401, 'Unauthorized'),
  headers: {
    'www-authenticate':
      'Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000", ' +
      'MsRtcOAuth href="/webticket/oauthtoken",grant_type="urn:microsoft.rtc:windows,password"',
  },
};

/** Shows a resource. */
export function ok(body: object): SimulatedResponse {
  return { status: 200, body };
}

/** Puts an answer on the wire. */
export function responseTo(
  request: HttpRequest,
  { status, body, headers = {} }: SimulatedResponse,
): HttpResponse {
  return {
    status,
    url: request.url,
    headers: headersFrom(
      body === undefined ? headers : { ...headers, 'content-type': 'application/json; charset=utf-8' },
    ),
    body$: body === undefined ? EMPTY : of(new TextEncoder().encode(JSON.stringify(body))),
  };
}
