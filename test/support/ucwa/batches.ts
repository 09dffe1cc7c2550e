import { defer, forkJoin, map, mergeMap, type Observable, toArray } from 'rxjs';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../lib/core/transport/transport.ts';

/** A part of a batch response. */
export interface BatchPart {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Returns the text of a batch response as documented. */
export function batchText(parts: readonly BatchPart[], boundary = '3968fb75-0b0e', line = '\r\n'): string {
  const written = parts.map(({ status, headers = {}, body = '' }) =>
    [
      `--${boundary}`,
      'Content-Type: application/http; msgtype=response',
      '',
      `HTTP/1.1 ${status} Whatever`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      body,
      '',
    ].join(line),
  );
  return `${written.join('')}--${boundary}--${line}`;
}

/** Returns the requests in a batch. @throws Error for a malformed batch */
export function requestsIn({ url, headers = {}, body = '' }: HttpRequest): HttpRequest[] {
  const boundary = /^multipart\/batching;boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new Error('the batch has no boundary');
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.shift() !== '' || pieces.pop() !== '--\r\n') throw new Error('the batch is malformed');
  return pieces.map((piece) => {
    const [own, head = '', ...rest] = piece.split('\r\n\r\n');
    if (own !== '\r\nContent-Type: application/http; msgtype=request') throw new Error('a part is malformed');
    const [line = '', ...lines] = head.split('\r\n');
    const [, method, path] = /^(\S+) (\/\S*) HTTP\/1\.1$/.exec(line) ?? [];
    if (method === undefined || path === undefined) throw new Error('a request line is malformed');
    const fields = Object.fromEntries(
      lines.map((field): [string, string] => {
        const [, name, value] = /^([^\s:]+): (.*)$/.exec(field) ?? [];
        if (name === undefined || value === undefined) throw new Error('a header is malformed');
        return [name, value];
      }),
    );
    const content = rest.join('\r\n\r\n');
    return {
      ...{ method, url: new URL(path, url).href, headers: fields },
      ...(content === '' ? {} : { body: content }),
    };
  });
}

/** A server of batches at paths that end with `/batch`. */
export interface BatchServer {
  readonly transport: Transport;
  /** The requests received. */
  readonly requests: HttpRequest[];
  /** Returns the path of each request, or the paths of the parts of a batch. */
  readonly paths: () => (string | string[])[];
}

/** Creates a {@link BatchServer} that sends the parts to `inner`. */
export function batchServer(inner: Transport): BatchServer {
  const requests: HttpRequest[] = [];
  const isBatch = ({ url }: HttpRequest): boolean => url.endsWith('/batch');
  const pathOf = ({ url }: HttpRequest): string => new URL(url).pathname;
  return {
    requests,
    paths: () => requests.map((one) => (isBatch(one) ? requestsIn(one).map(pathOf) : pathOf(one))),
    transport: (request) =>
      defer(() => {
        requests.push(request);
        return isBatch(request) ? together(inner, request) : inner(request);
      }),
  };
}

function together(inner: Transport, request: HttpRequest): Observable<HttpResponse> {
  const authorization = request.headers?.['authorization'];
  const parts = requestsIn(request).map((part) => {
    const headers = { ...part.headers, ...(authorization === undefined ? {} : { authorization }) };
    return inner({ ...part, headers }).pipe(
      mergeMap(({ status, body$ }) =>
        body$.pipe(
          toArray(),
          map((chunks) => ({ status, body: textOf(chunks) })),
        ),
      ),
    );
  });
  return forkJoin(parts).pipe(map((answers) => batchResponse(request.url, answers)));
}

/** Creates the response to a batch. */
export function batchResponse(url: string, parts: readonly BatchPart[]): HttpResponse {
  const headers = headersFrom({ 'content-type': 'multipart/batching; boundary="3968fb75-0b0e"' });
  return { status: 200, url, headers, body$: defer(() => [new TextEncoder().encode(batchText(parts))]) };
}

function textOf(chunks: readonly Uint8Array[]): string {
  return chunks.map((chunk) => new TextDecoder().decode(chunk)).join('');
}
