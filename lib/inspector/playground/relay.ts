import { catchError, concat, defer, EMPTY, from, map, type Observable, of } from 'rxjs';
import { inspectedError } from '../plain.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../core/transport/transport.ts';
import type { Playground, PlaygroundCommand } from '../playground.ts';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array;
}

/** Options of {@link relay}. @inline */
export interface RelayOptions {
  /** An unguessable word: the first part of all paths. */
  readonly token: string;
  /** The files of the page, by name; `index.html` is also that of the folder. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** The playground of the other end; missing if the page has its own. */
  readonly playground?: Playground | undefined;
}

/** The headers of all responses: the page loads nothing from elsewhere, and its URL is sent nowhere. */
export const RELAY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The attribute of `<html>` by which the page knows that it is served by a relay. */
const MARK = 'data-relay';

const encoder = new TextEncoder();

/**
 * Returns a Transport that serves the page, and relays a playground to it.
 *
 * `GET records` streams the records as server-sent events, and `POST commands` runs a command. Requests
 * without the token, or of a page of another origin, get no answer but a status.
 */
export function relay({ token, files, playground }: RelayOptions): Transport {
  return (request) =>
    defer(() => {
      const { pathname, origin } = new URL(request.url);
      const [, given, name = '', ...more] = pathname.split('/');
      if (given !== token || more.length > 0)
        return of(text(request, 404, 'The address has no valid token: open the one that was printed.'));
      const sender = request.headers?.['origin'];
      if (sender !== undefined && sender !== origin)
        return of(text(request, 403, 'Another page sent this request.'));
      if (playground !== undefined) {
        if (name === 'playground.json')
          return of(json(request, 200, { commands: playground.commands, streams: playground.streams }));
        if (name === 'records') return of(events(request, playground));
        if (name === 'commands') return ran(request, playground);
      }
      return of(page(request, files.get(name === '' ? 'index.html' : name), name, playground !== undefined));
    });
}

function page(
  request: HttpRequest,
  file: PageFile | undefined,
  name: string,
  isRelayed: boolean,
): HttpResponse {
  if (file === undefined) return text(request, 404, 'There is no such file.');
  if (request.method !== 'GET') return text(request, 405, 'Use GET.');
  const isIndex = isRelayed && (name === '' || name === 'index.html');
  const html = isIndex ? new TextDecoder().decode(file.body).replace('<html', `<html ${MARK}`) : undefined;
  return respond(request, 200, file.type, of(html === undefined ? file.body : encoder.encode(html)));
}

function events(request: HttpRequest, { records$ }: Playground): HttpResponse {
  const chunks$ = records$.pipe(map((record) => encoder.encode(`data: ${JSON.stringify(record)}\n\n`)));
  return respond(request, 200, 'text/event-stream', concat(of(encoder.encode(': records\n\n')), chunks$));
}

function ran(request: HttpRequest, playground: Playground): Observable<HttpResponse> {
  // A form of another page cannot send JSON without a preflight.
  if (request.method !== 'POST' || request.headers?.['content-type'] !== 'application/json')
    return of(text(request, 415, 'POST a command as application/json.'));
  const command = commandIn(request.body ?? '');
  if (command === undefined || !playground.commands.includes(command.do))
    return of(json(request, 400, { error: `The commands are ${playground.commands.join(', ')}.` }));
  return from(playground.run(command)).pipe(
    map(() => respond(request, 204, 'text/plain', EMPTY)),
    catchError((error: unknown) => of(json(request, 409, { error: inspectedError(error).message }))),
  );
}

function commandIn(body: string): PlaygroundCommand | undefined {
  try {
    const command: unknown = JSON.parse(body);
    return typeof command === 'object' && command !== null && 'do' in command
      ? (command as PlaygroundCommand)
      : undefined;
  } catch {
    return undefined;
  }
}

function text(request: HttpRequest, status: number, sentence: string): HttpResponse {
  return respond(request, status, 'text/plain; charset=utf-8', of(encoder.encode(`${sentence}\n`)));
}

function json(request: HttpRequest, status: number, value: unknown): HttpResponse {
  return respond(request, status, 'application/json', of(encoder.encode(JSON.stringify(value))));
}

function respond(
  { url }: HttpRequest,
  status: number,
  type: string,
  body$: Observable<Uint8Array>,
): HttpResponse {
  return { status, url, headers: headersFrom({ ...RELAY_HEADERS, 'content-type': type }), body$ };
}
