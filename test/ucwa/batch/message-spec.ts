import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import { MOST_VALUES } from '../../../lib/core/json.ts';
import {
  headersFrom,
  type HttpRequest,
  type RequestProgress,
} from '../../../lib/core/transport/transport.ts';
import { answersOf, batchRequest, sharedAnswer } from '../../../lib/ucwa/batch/message.ts';
import { type BatchPart, batchText } from '../../support/ucwa/batches.ts';
import { response } from '../../support/responses.ts';

const POOL = 'https://pool.example/ucwa/v1/applications/192';
const LINK = `${POOL}/batch`;

const request = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ method: 'GET', url: `${POOL}/${path}` },
  ...more,
});

const written = (requests: readonly HttpRequest[]): HttpRequest => batchRequest(requests, LINK, 0).request;

describe('batchRequest', () => {
  it('is a POST to the batch link that accepts a batch', () => {
    const { method, url, headers, body, ...more } = written([request('a'), request('b')]);
    expect({ method, url, headers }).to.deep.equal({
      method: 'POST',
      url: LINK,
      headers: { accept: 'multipart/batching', 'content-type': 'multipart/batching;boundary=rxchange-1' },
    });
    expect(body).to.match(/^--rxchange-1\r\n/);
    expect(more).to.deep.equal({});
  });

  it('has the authorization and the credentials of its parts', () => {
    const signed = { headers: { authorization: 'Bearer t' }, credentials: 'include' } as const;
    const { headers, credentials } = written([request('a', signed), request('b', signed)]);
    expect(headers).to.include({ authorization: 'Bearer t' });
    expect(credentials).to.equal('include');
  });

  it('sets keepalive if a part has it', () => {
    const parts = [request('a'), request('b', { keepalive: true })];
    expect(written(parts).keepalive).to.equal(true);
    expect(written([request('a', { keepalive: false })])).not.to.have.property('keepalive');
  });

  it('does not set keepalive beyond the size limit of browsers', () => {
    const parts = [
      request('a', { keepalive: true }),
      request('b', { method: 'POST', body: 'x'.repeat(65_536) }),
    ];
    expect(written(parts)).not.to.have.property('keepalive');
  });

  it('does not set keepalive while other requests use the browser limit', () => {
    const parts = [request('a', { keepalive: true }), request('b')];
    const { request: alone, keepaliveBytes } = batchRequest(parts, LINK, 0);
    expect(keepaliveBytes).to.equal(alone.body?.length);
    expect(batchRequest(parts, LINK, 60_000 - keepaliveBytes)).to.deep.equal({
      request: alone,
      keepaliveBytes,
    });
    const { request: next, ...taken } = batchRequest(parts, LINK, 60_001 - keepaliveBytes);
    expect(next).not.to.have.property('keepalive');
    expect(taken).to.deep.equal({ keepaliveBytes: 0 });
  });

  it('reports the progress of each part with onProgress', () => {
    const recorded: string[] = [];
    const recordingProgress = (name: string): Partial<HttpRequest> => ({
      onProgress: (progress: RequestProgress) => recorded.push(`${name} ${progress}`),
    });
    const { onProgress } = written([
      request('a', recordingProgress('a')),
      request('b'),
      request('c', recordingProgress('c')),
    ]);
    onProgress?.('sent');
    onProgress?.('notProcessed');
    expect(recorded).to.deep.equal(['a sent', 'c sent', 'a notProcessed', 'c notProcessed']);
  });
});

describe('answersOf', () => {
  const TYPE = 'multipart/batching; boundary="3968fb75-0b0e"';

  /** Returns the result of each of three requests: status and body, or the error. */
  const seen = (text: string, type = TYPE, recorded: string[] = []): unknown[] => {
    const requests = ['a', 'b', 'c'].map((name) =>
      request(name, { onProgress: (progress) => recorded.push(`${name} ${progress}`) }),
    );
    const results: unknown[] = [];
    for (const answer of answersOf(requests, response(200, { headers: { 'content-type': type } }), text)) {
      answer.subscribe({
        next: ({ status, url, body$ }) => {
          body$.subscribe((bytes) =>
            results.push(`${status} ${url.slice(POOL.length)} ${new TextDecoder().decode(bytes)}`),
          );
        },
        error: (error: unknown) => results.push(error),
      });
    }
    return results;
  };
  const parts = (...statuses: readonly number[]): BatchPart[] =>
    statuses.map((status, index) => ({ status, body: `{"n":${index}}` }));
  const problems = (results: readonly unknown[]): unknown =>
    results.map((result) => (result instanceof DecodeError ? result.message : result));

  it('matches responses by their position', () => {
    expect(seen(batchText(parts(200, 404, 201)))).to.deep.equal([
      '200 /a {"n":0}',
      '404 /b {"n":1}',
      '201 /c {"n":2}',
    ]);
  });

  it('returns the headers of each part only', () => {
    const text = batchText([{ status: 429, headers: { 'Retry-After': '7' } }]);
    const [answer] = answersOf(
      [request('a')],
      response(200, { headers: { 'content-type': TYPE, etag: 'x' } }),
      text,
    );
    const found: unknown[] = [];
    answer?.subscribe(({ headers }) => found.push(headers.get('Retry-After'), headers.get('etag')));
    expect(found).to.deep.equal(['7', undefined]);
  });

  it('fails only the request whose part is malformed', () => {
    const text = batchText(parts(200, 200, 200)).replace('HTTP/1.1 200 Whatever\r\n\r\n{"n":1}', 'nonsense');
    expect(problems(seen(text))).to.deep.equal([
      '200 /a {"n":0}',
      'the answer to the batch: expected an HTTP answer at /1, but there is something else',
      '200 /c {"n":2}',
    ]);
  });

  it('fails only the requests whose parts a truncated response lacks', () => {
    const text = batchText(parts(200)).replace(/--\r\n$/, '\r\nContent-Type: application/http');
    expect(problems(seen(text))).to.deep.equal([
      '200 /a {"n":0}',
      'the answer to the batch: expected an HTTP answer at /1, but there is something else',
      'the answer to the batch: expected an HTTP answer at /2, but there is nothing',
    ]);
  });

  it('fails every request if the number of parts differs', () => {
    for (const text of [batchText(parts(200, 200)), batchText(parts(200, 200, 200, 200))]) {
      const results = seen(text);
      expect(results).to.have.length(3);
      for (const result of results)
        expect(result).to.be.instanceOf(DecodeError).with.property('expected', '3 parts');
    }
  });

  it('fails every request if the response is no batch', () => {
    const results = seen('<html>secret</html>', 'text/html; charset=utf-8');
    expect(problems(results)).to.deep.equal(
      [1, 2, 3].map(
        () =>
          'the answer to the batch: expected multipart/batching at the root, but there is a body of type text/html',
      ),
    );
  });

  it('fails every request if the parts together have too many JSON values', () => {
    const body = `[${'1,'.repeat(MOST_VALUES / 2)}1]`;
    const answer = batchText([body, body, ''].map((text) => ({ status: 200, body: text })));
    expect(problems(seen(answer))).to.deep.equal(
      [1, 2, 3].map(
        () =>
          `the answer to the batch: expected at most ${MOST_VALUES} values at the root, but there is more`,
      ),
    );
  });

  it('reports notProcessed for a refused part only', () => {
    const recorded: string[] = [];
    seen(batchText(parts(201, 403, 500)), TYPE, recorded);
    expect(recorded).to.deep.equal(['b notProcessed']);
  });
});

describe('sharedAnswer', () => {
  it('is the batch response with the URL of the request', () => {
    const outer = { ...response(401), headers: headersFrom({ 'www-authenticate': 'Bearer' }) };
    const { status, headers, url, body$ } = sharedAnswer(request('a'), outer, '{"code":"x"}');
    const bodies: string[] = [];
    const read = (bytes: Uint8Array): unknown => bodies.push(new TextDecoder().decode(bytes));
    body$.subscribe(read);
    body$.subscribe(read);
    expect({ status, url, bearer: headers.get('WWW-Authenticate'), bodies }).to.deep.equal({
      ...{ status: 401, url: `${POOL}/a`, bearer: 'Bearer' },
      bodies: ['{"code":"x"}', '{"code":"x"}'],
    });
  });
});
