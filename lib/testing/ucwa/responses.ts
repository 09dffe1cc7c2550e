import { EMPTY, of } from 'rxjs';
import { headersFrom, type HttpRequest, type HttpResponse } from '../../core/transport/transport.ts';

/** A response of a simulated server before it is serialized. */
export interface SimulatedResponse {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Returns an error response of UCWA. @see [MS-UCWA] ErrorsAndInformationalMessages */
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

/** The response to an undocumented method. */
export const NOT_ALLOWED: SimulatedResponse = errorResponse(405, 'MethodNotAllowed');

/** The response to a request with a missing or invalid parameter. */
export const BAD_PARAMETER: SimulatedResponse = errorResponse(
  400,
  'BadRequest',
  'ParameterValidationFailure',
);

/** The response at an unknown path. */
export const NOT_FOUND: SimulatedResponse = errorResponse(404, 'NotFound');

/** The response to a request that exceeds a limit. */
export const LIMIT_EXCEEDED: SimulatedResponse = errorResponse(403, 'Forbidden', 'LimitExceeded');

/** The response for an unknown application; other resources are documented with the same body. */
export const APPLICATION_NOT_FOUND: SimulatedResponse = errorResponse(404, 'NotFound', 'ApplicationNotFound');

/** The response to a P-GET that another one replaced. @see [MS-UCWA] EventChannelDetails */
export const P_GET_REPLACED: SimulatedResponse = errorResponse(409, 'Conflict', 'PGetReplaced');

/** The response to a request without an accepted token. @see [MS-UCWA] AuthenticationInUCWA */
export const TOKEN_REQUIRED: SimulatedResponse = {
  ...errorResponse(401, 'Unauthorized'),
  headers: {
    'www-authenticate':
      'Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000", ' +
      'MsRtcOAuth href="/webticket/oauthtoken",grant_type="urn:microsoft.rtc:windows,password"',
  },
};

/** Returns a response with a resource. */
export function ok(body: object): SimulatedResponse {
  return { status: 200, body };
}

/** Serializes a response. */
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
