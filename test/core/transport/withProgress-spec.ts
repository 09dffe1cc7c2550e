import { expect } from 'chai';
import { throwError } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import { withProgress } from '../../../lib/core/transport/withProgress.ts';
import type { HttpRequest, HttpResponse, RequestProgress } from '../../../lib/core/transport/transport.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

const request: HttpRequest = { method: 'POST', url: 'https://server.example/' };

function progressOf(answer: PreparedResponse): RequestProgress[] {
  const recorded: RequestProgress[] = [];
  withProgress(respondWith(answer).transport)({
    ...request,
    onProgress: (progress) => recorded.push(progress),
  }).subscribe({
    error: () => undefined,
  });
  return recorded;
}

const broken = (code?: string): NetworkError => new NetworkError('no answer', request, { code });

describe('withProgress', () => {
  it('reports nothing before the subscription', () => {
    const recorded: RequestProgress[] = [];
    withProgress(respondWith(response(200)).transport)({
      ...request,
      onProgress: (progress) => recorded.push(progress),
    });
    expect(recorded).to.deep.equal([]);
  });

  it('reports sent before sending', () => {
    const recorded: RequestProgress[] = [];
    const transport = withProgress((): never => {
      expect(recorded).to.deep.equal(['sent']);
      throw new Error('stop');
    });
    transport({ ...request, onProgress: (progress) => recorded.push(progress) }).subscribe({
      error: () => undefined,
    });
    expect(recorded).to.deep.equal(['sent']);
  });

  for (const status of [200, 201, 204, 408, 500, 502, 504]) {
    it(`leaves open what the server did when it answers ${status}`, () => {
      expect(progressOf(response(status))).to.deep.equal(['sent']);
    });
  }

  for (const status of [302, 400, 401, 403, 404, 409, 429, 503]) {
    it(`reports notProcessed for status ${status}`, () => {
      expect(progressOf(response(status))).to.deep.equal(['sent', 'notProcessed']);
    });
  }

  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']) {
    it(`reports notProcessed if no connection was established: ${code}`, () => {
      expect(progressOf(throwError(() => broken(code)))).to.deep.equal(['sent', 'notProcessed']);
    });
  }

  it('leaves open what the server did when the connection broke', () => {
    expect(progressOf(throwError(() => broken('ECONNRESET')))).to.deep.equal(['sent']);
    expect(progressOf(throwError(() => broken()))).to.deep.equal(['sent']);
    expect(progressOf(throwError(() => new Error('anything')))).to.deep.equal(['sent']);
  });

  it('passes a request without onProgress on', () => {
    const seen: HttpResponse[] = [];
    withProgress(respondWith(response(200)).transport)(request).subscribe((answer) => seen.push(answer));
    expect(seen.map(({ status }) => status)).to.deep.equal([200]);
  });
});
