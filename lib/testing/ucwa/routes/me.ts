import type { HttpRequest } from '../../../core/transport/transport.ts';
import {
  type SimulatedResponse,
  BAD_PARAMETER,
  NOT_ALLOWED,
  NOT_FOUND,
  ok,
  errorResponse,
} from '../responses.ts';
import type { SimulatedApplication } from '../model.ts';
import { withBody } from './backend.ts';
import { meResource } from '../resources.ts';

const AVAILABILITIES = ['Online', 'Busy', 'DoNotDisturb', 'BeRightBack', 'Away', 'Offwork'];
const REQUIRED = errorResponse(409, 'Conflict', 'MakeMeAvailableRequired');
const DONE: SimulatedResponse = { status: 204 };

/**
 * Responds for the published presence of the user.
 *
 * @see [MS-UCWA] makeMeAvailable_ref, reportMyActivity_ref, me_ref
 */
export function onMe(
  application: SimulatedApplication,
  segments: readonly string[],
  request: HttpRequest,
): SimulatedResponse {
  const { published } = application;
  const { availability } = published;
  switch (segments.join('/')) {
    case 'me':
      return request.method === 'GET' ? ok(meResource(application)) : NOT_ALLOWED;
    case 'me/presence': {
      if (request.method !== 'GET') return NOT_ALLOWED;
      const _links = { self: { href: `${application.href}/me/presence` } };
      return availability === undefined ? REQUIRED : ok({ availability, _links, rel: 'presence' });
    }
    case 'communication/makeMeAvailable':
      return request.method === 'POST' ? makeMeAvailable(application, request) : NOT_ALLOWED;
    case 'reportMyActivity':
      if (request.method !== 'POST') return NOT_ALLOWED;
      if (availability === undefined) return REQUIRED;
      published.report();
      return DONE;
    default:
      return NOT_FOUND;
  }
}

function makeMeAvailable(
  { published, notifyMeChanged }: SimulatedApplication,
  request: HttpRequest,
): SimulatedResponse {
  return withBody(request, ({ signInAs = 'Online', ...requested }) => {
    if (typeof signInAs !== 'string' || !AVAILABILITIES.includes(signInAs)) return BAD_PARAMETER;
    // One page capitalizes the name of this property.
    const modalities = requested['supportedModalities'] ?? requested['SupportedModalities'] ?? [];
    if (!Array.isArray(modalities)) return BAD_PARAMETER;
    if (modalities.some((modality) => modality !== 'Messaging' && modality !== 'PhoneAudio'))
      return errorResponse(403, 'Forbidden');
    if (published.availability !== undefined) return errorResponse(409, 'Conflict', 'AlreadyExists');
    published.signIn(signInAs);
    notifyMeChanged();
    return DONE;
  });
}
