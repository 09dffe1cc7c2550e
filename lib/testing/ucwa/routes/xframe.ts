import { of } from 'rxjs';
import { headersFrom, type HttpRequest, type HttpResponse } from '../../../core/transport/transport.ts';

/** The path of the page on every host. */
export const XFRAME = '/Autodiscover/XFrame/XFrame.html';

/** Returns whether this is the path of the page, in upper or lower case. */
export function isXframe(pathname: string): boolean {
  return pathname.toLowerCase() === XFRAME.toLowerCase();
}

/**
 * Returns the page. It requires no token, because its requests have their own.
 *
 * @param allowedOrigins Origins besides those of this machine.
 */
export function xframeResponse({ url }: HttpRequest, allowedOrigins: readonly string[]): HttpResponse {
  return {
    ...{ status: 200, url },
    headers: headersFrom({ 'content-type': 'text/html; charset=utf-8' }),
    body$: of(new TextEncoder().encode(page(allowedOrigins))),
  };
}

/**
 * Sends the requests of the page that contains it, and posts the responses to that page.
 *
 * A real server has a list of allowed origins, too. Pages on this machine and of the same origin are always
 * allowed, and no others by default: otherwise any page on the web could talk to a served simulator.
 *
 * @see [MS-UCWA] Cross_domainIFRAME
 */
const page = (allowedOrigins: readonly string[]): string => `<!doctype html>
<meta charset="utf-8">
<title>XFrame</title>
<script>
addEventListener('message', ({ data, origin, source }) => {
  let request;
  try {
    request = JSON.parse(data);
  } catch {
    return;
  }
  const { messageId, type = 'GET', url, accepts, contentType, headers, data: body, xhrFields } = request;
  const answer = (status, statusText, responseText, headers) =>
    source.postMessage(JSON.stringify({ status, statusText, responseText, headers, messageId }), origin);
  const isAllowed =
    ${JSON.stringify(allowedOrigins)}.includes(origin) ||
    origin === location.origin ||
    /^https?:\\/\\/(?:localhost|(?:[\\w-]+\\.)+localhost|127(?:\\.\\d+){3}|\\[::1\\])(?::\\d+)?$/.test(origin);
  if (!isAllowed) {
    if (origin.startsWith('http'))
      answer(403, 'Forbidden', '', 'X-Ms-diagnostics: 0;reason="This origin is not allowed."\\r\\n');
    return;
  }
  const sending = new XMLHttpRequest();
  const isBodyless = /^(?:get|head)$/i.test(type);
  try {
    sending.open(type, url);
    Object.assign(sending, xhrFields);
    for (const [name, value] of Object.entries({ Accept: accepts, 'Content-Type': contentType, ...headers }))
      if (value !== undefined) sending.setRequestHeader(name, value);
    const spelled = () => sending.getAllResponseHeaders().replace(/^[a-z]|-[a-z]/gm, (one) => one.toUpperCase());
    sending.onloadend = () => answer(sending.status, sending.statusText, sending.responseText, spelled());
    sending.send(isBodyless ? null : body);
  } catch (error) {
    answer(0, String(error), '', '');
  }
});
</script>
`;
