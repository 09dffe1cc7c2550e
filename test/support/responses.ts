import { from, type Observable, of } from 'rxjs';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../lib/core/transport/transport.ts';

/** Creates a response with a body of these chunks. */
export function response(
  status: number,
  options: {
    readonly headers?: Record<string, string>;
    readonly body?: readonly (string | Uint8Array)[];
  } = {},
): HttpResponse {
  const encoder = new TextEncoder();
  const chunks = (options.body ?? []).map((piece) =>
    typeof piece === 'string' ? encoder.encode(piece) : piece,
  );
  return {
    status,
    headers: headersFrom(options.headers ?? {}),
    url: 'https://server.example/',
    body$: from(chunks),
  };
}

/** A prepared response. */
export type PreparedResponse = HttpResponse | Observable<HttpResponse>;

/** Creates a transport that records requests and responds in order, with the last response repeatedly. */
export function respondWith(...answers: readonly PreparedResponse[]): {
  readonly transport: Transport;
  readonly requests: HttpRequest[];
} {
  const requests: HttpRequest[] = [];
  return {
    requests,
    transport: (request) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(request);
      if (answer === undefined) throw new Error('no response was prepared');
      return 'status' in answer ? of(answer) : answer;
    },
  };
}
