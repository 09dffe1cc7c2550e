import { expect } from 'chai';
import fc from 'fast-check';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import {
  isWritable,
  type ReadBatch,
  readBatch,
  writeBatch,
  delimitersIn,
  inferredBoundary,
} from '../../../lib/ucwa/protocol/multipart.ts';
import { type BatchPart, batchText, requestsIn } from '../../support/ucwa/batches.ts';

const LINK = 'https://pool.example/ucwa/v1/applications/192/batch';

const arriving = (requests: readonly HttpRequest[]): HttpRequest[] => {
  const { contentType, body } = writeBatch(requests);
  return requestsIn({ method: 'POST', url: LINK, headers: { 'content-type': contentType }, body });
};

describe('writeBatch', () => {
  it('writes whole requests between boundaries', () => {
    const { contentType, body } = writeBatch([
      {
        method: 'GET',
        url: 'https://pool.example:8443/ucwa/v1/me?a=b#c',
        headers: { accept: 'application/json' },
      },
      { method: 'POST', url: 'https://pool.example:8443/ucwa/v1/people', body: '{"name":"Zoë"}' },
    ]);
    expect(contentType).to.equal('multipart/batching;boundary=rxchange-1');
    expect(body.split('\r\n')).to.deep.equal([
      '--rxchange-1',
      'Content-Type: application/http; msgtype=request',
      '',
      'GET /ucwa/v1/me?a=b HTTP/1.1',
      'host: pool.example:8443',
      'accept: application/json',
      '',
      '',
      '--rxchange-1',
      'Content-Type: application/http; msgtype=request',
      '',
      'POST /ucwa/v1/people HTTP/1.1',
      'host: pool.example:8443',
      'content-length: 15',
      '',
      '{"name":"Zoë"}',
      '--rxchange-1--',
      '',
    ]);
  });

  it('omits headers from parts that the batch carries for all', () => {
    const headers = {
      authorization: 'Bearer secret',
      host: 'evil.example',
      'content-length': '1',
      accept: '*/*',
    };
    const { body } = writeBatch([{ method: 'GET', url: LINK, headers }]);
    expect(body).not.to.contain('secret');
    expect(body).not.to.contain('evil');
    expect(body).not.to.contain('content-length');
    expect(body).to.contain('accept: */*');
  });

  it('chooses a boundary that no part contains', () => {
    const body = '\r\n--rxchange-1--\r\n\r\n--rxchange-2\r\n';
    const { contentType } = writeBatch([{ method: 'POST', url: LINK, body }]);
    expect(contentType).to.equal('multipart/batching;boundary=rxchange-3');
    expect(arriving([{ method: 'POST', url: LINK, body }])[0]?.body).to.equal(body);
  });

  it('writes any requests so that they can be read back', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\r\n--rxchange-1', '--rxchange-1--\r\n'),
    );
    const part = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
      path: fc.webPath(),
      body: fc.array(text).map((texts) => texts.join('')),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const requests = parts.map(({ method, path, body }) => ({
          ...{ method, url: new URL(`https://pool.example/x${path}`).href },
          ...(body === '' ? {} : { body }),
        }));
        const bare = arriving(requests).map(({ method, url, body }) => ({
          ...{ method, url },
          ...(body === undefined ? {} : { body }),
        }));
        expect(bare).to.deep.equal(requests);
      }),
    );
  });
});

describe('isWritable', () => {
  const cases: readonly [name: string, request: Partial<HttpRequest>, expected: boolean][] = [
    ['a plain request', {}, true],
    ['a request with a body of any kind', { body: 'a\r\n\r\nb\0' }, true],
    ['a request with headers', { headers: { accept: 'a/b, c', 'x-ms-origin': 'https://a.example' } }, true],
    ['a header value with a line break', { headers: { a: 'b\r\nAuthorization: c' } }, false],
    ['a header value with a bare line feed', { headers: { a: 'b\nc' } }, false],
    ['a header name with a line break', { headers: { 'a\r\nb': 'c' } }, false],
    ['a header name with a colon', { headers: { 'a:': 'c' } }, false],
    ['a method with a blank', { method: 'GET /evil HTTP/1.1\r\n' }, false],
    ['no method', { method: '' }, false],
  ];
  for (const [name, request, expected] of cases) {
    it(`is ${expected} for ${name}`, () =>
      expect(isWritable({ method: 'GET', url: LINK, ...request })).to.equal(expected));
  }
});

describe('readBatch', () => {
  const TYPE = 'multipart/batching; boundary="b1"';
  const json = { 'content-type': 'application/json; charset=utf-8' };
  const ok = (body: string, headers: Record<string, string> = json): BatchPart => ({
    status: 200,
    headers,
    body,
  });
  const lines = (...all: readonly string[]): string => all.join('\r\n');
  const OWN = 'Content-Type: application/http; msgtype=response';

  it('ignores a boundary of more than 200 characters', () => {
    const boundary = '='.repeat(100_000);
    const batch = batchText([ok('{}')], boundary);
    expect(readBatch(`multipart/batching; boundary="${boundary}"`, batch)).to.equal(undefined);
    expect(readBatch(undefined, batch)).to.equal(undefined);
    const short = batchText([ok('{}')], 'b1');
    expect(readBatch(`multipart/batching; boundary="${boundary}"`, short)?.parts).to.have.length(1);
  });

  it('reads the parts in order', () => {
    const text = batchText([ok('{"a":1}'), { status: 204 }, { status: 404, headers: { etag: '"x"' } }], 'b1');
    expect(readBatch(TYPE, text)).to.deep.equal({
      isClosed: true,
      parts: [
        { status: 200, headers: json, body: '{"a":1}' },
        { status: 204, headers: {}, body: '' },
        { status: 404, headers: { etag: '"x"' }, body: '' },
      ],
    });
  });

  describe('accepts documented and similar messages:', () => {
    const one = lines(
      '--b1',
      OWN,
      '',
      'HTTP/1.1 200 OK',
      'Content-Type: application/json',
      '',
      '{"a":1}',
      '--b1--',
      '',
    );
    const expected: ReadBatch = {
      isClosed: true,
      parts: [{ status: 200, headers: { 'content-type': 'application/json' }, body: '{"a":1}' }],
    };
    const cases: readonly [name: string, type: string | undefined, text: string][] = [
      ['a quoted boundary', TYPE, one],
      ['a bare boundary', 'multipart/batching;boundary=b1', one],
      ['a bare boundary, and another parameter', 'multipart/batching; BOUNDARY = b1;charset=utf-8', one],
      ['multipart/mixed', 'Multipart/Mixed; boundary=b1', one],
      ['a boundary that is not named', 'multipart/batching', one],
      ['a boundary that is another than named', 'multipart/batching; boundary="other"', one],
      ['no content type', undefined, one],
      ['no content type and a preamble', undefined, lines('Hello', '', one)],
      ['a preamble', TYPE, lines('This is a message with parts.', '', one)],
      ['an epilogue', TYPE, `${one}Goodbye\r\n--b1\r\n`],
      ['an empty line in front', TYPE, `\r\n${one}`],
      ['a BOM in front of all', TYPE, `\uFEFF${one}`],
      ['a ? in front of all', TYPE, `?${one}`],
      ['a BOM in front of all, the boundary not named', 'multipart/batching', `\uFEFF${one}`],
      ['line feeds alone', TYPE, one.replaceAll('\r\n', '\n')],
      ['blanks behind a boundary', TYPE, one.replace('--b1\r', '--b1 \t\r').replace('--b1--', '--b1--  ')],
      ['no line end at the end', TYPE, one.trimEnd()],
      ['no header of the part', TYPE, one.replace(`${OWN}\r\n`, '')],
      ['no header of the part and no empty line', TYPE, one.replace(`${OWN}\r\n\r\n`, '')],
      ['no empty line behind the header of the part', TYPE, one.replace(`${OWN}\r\n\r\n`, `${OWN}\r\n`)],
      ['a blank in front of a colon', TYPE, one.replaceAll('Type:', 'Type :')],
      ['a BOM in front of a part', TYPE, one.replace('Content-Type', '\uFEFFContent-Type')],
      ['a BOM in front of the status line', TYPE, one.replace('HTTP/', '\uFEFFHTTP/')],
      ['a ? on a line of its own in front of the status line', TYPE, one.replace('HTTP/', '?\r\nHTTP/')],
      ['a BOM in front of the body', TYPE, one.replace('{', '\uFEFF{')],
      ['a ? on a line of its own in front of the body', TYPE, one.replace('{', '\r\n?\r\n{')],
      ['a status line without blanks', TYPE, one.replace('HTTP/1.1 200 OK', 'HTTP/1.1200OK')],
      ['a status line without a reason', TYPE, one.replace(' OK', '')],
      ['another version of HTTP', TYPE, one.replace('HTTP/1.1', 'HTTP/2')],
      ['one more boundary in place of the closing one', TYPE, one.replace('--b1--\r\n', '--b1\r\n\r\n')],
    ];
    for (const [name, type, text] of cases) {
      it(name, () => expect(readBatch(type, text)).to.deep.equal(expected));
    }
  });

  describe('reports malformed messages:', () => {
    const bodies = (read: ReadBatch | undefined): unknown =>
      read && { closed: read.isClosed, bodies: read.parts.map((part) => part?.body) };
    const part = (body: string): string => lines('--b1', OWN, '', 'HTTP/1.1 200 OK', '', body, '');
    const cases: readonly [name: string, type: string | undefined, text: string, expected: unknown][] = [
      ['another type', 'text/html; charset=utf-8', '--b1\r\n', undefined],
      ['an empty body', TYPE, '', undefined],
      ['a page', 'multipart/batching', '<html></html>', undefined],
      ['no parts', TYPE, '--b1--\r\n', { closed: true, bodies: [] }],
      [
        'a part that is no answer',
        TYPE,
        `${part('1')}${lines('--b1', OWN, '', '{"a":"HTTP/1.1 200 OK"}', '')}${part('3')}--b1--`,
        { closed: true, bodies: ['1', undefined, '3'] },
      ],
      [
        'an empty part',
        TYPE,
        `${part('1')}--b1\r\n\r\n${part('3')}--b1--`,
        { closed: true, bodies: ['1', undefined, '3'] },
      ],
      [
        'boundaries without anything between',
        TYPE,
        `${part('1')}--b1\r\n--b1--`,
        { closed: true, bodies: ['1', undefined] },
      ],
      [
        'a status of four digits',
        TYPE,
        part('1').replace('200', '2000') + '--b1--',
        { closed: true, bodies: [undefined] },
      ],
      [
        'an end that is missing',
        TYPE,
        `${part('1')}${part('2').trimEnd()}`,
        { closed: false, bodies: ['1', '2'] },
      ],
      [
        'an end within a head',
        TYPE,
        `${part('1')}--b1\r\n${OWN}\r\n`,
        { closed: false, bodies: ['1', undefined] },
      ],
      [
        'a status line at the very end',
        TYPE,
        `--b1\r\nHTTP/1.1 204 No Content`,
        { closed: false, bodies: [''] },
      ],
    ];
    for (const [name, type, text, expected] of cases) {
      it(name, () => expect(bodies(readBatch(type, text))).to.deep.equal(expected));
    }
  });

  it('ignores a boundary within a line or with a suffix', () => {
    const body = '{"text":"--b1"}\r\n--b11\r\n --b1\r\n--b1-';
    const text = batchText([ok(body)], 'b1');
    expect(readBatch(TYPE, text)?.parts.map((part) => part?.body)).to.deep.equal([body]);
  });

  it('keeps a text body unchanged', () => {
    const text = batchText([ok('?really?\r\n', {}), ok('  two', {}), ok('\uFEFF', {})], 'b1');
    expect(readBatch(TYPE, text)?.parts.map((part) => part?.body)).to.deep.equal([
      '?really?\r\n',
      '  two',
      '\uFEFF',
    ]);
  });

  describe('refuses more parts than maxParts:', () => {
    const answer = (parts: number): string => batchText(Array<BatchPart>(parts).fill({ status: 204 }), 'b1');
    const cases: readonly [
      name: string,
      text: string,
      maxParts: number | undefined,
      parts: number | undefined,
    ][] = [
      ['as many as the default', answer(1000), undefined, 1000],
      ['more than the default', answer(1001), undefined, undefined],
      ['as many as are asked for', answer(2), 2, 2],
      ['more than are asked for', answer(3), 2, undefined],
      ['as many, without an end', answer(2).replace('--b1--\r\n', ''), 2, 2],
      ['more, without an end', answer(3).replace('--b1--\r\n', ''), 2, undefined],
      ['as many, with one more boundary as the end', answer(2).replace('--b1--', '--b1'), 2, 2],
      ['more, with one more boundary as the end', answer(3).replace('--b1--', '--b1'), 2, undefined],
      ['as many, and boundaries after the end', answer(2) + '--b1\r\n'.repeat(9), 2, 2],
      ['boundaries alone', '--b1\r\n'.repeat(2000), undefined, undefined],
    ];
    for (const [name, text, maxParts, parts] of cases) {
      it(name, () => {
        expect(readBatch(TYPE, text, maxParts)?.parts.length).to.equal(parts);
        expect(readBatch(undefined, text, maxParts)?.parts.length).to.equal(parts);
      });
    }
  });

  describe('rejects a part whose head is too large:', () => {
    const part = (own: string, head: string): string =>
      `--b1\r\n${own}\r\nHTTP/1.1 200 OK\r\n${head}\r\n{}\r\n--b1--`;
    const long = (length: number): string => `a: ${'b'.repeat(length)}\r\n`;
    const cases: readonly [name: string, text: string, isRead: boolean][] = [
      ['16,000 characters are read', part('', long(16_000)), true],
      ['more than 16,384 are not', part('', long(16_384)), false],
      ['nor without an end', `--b1\r\n\r\nHTTP/1.1 200 OK\r\n${long(20_000)}`, false],
      ['199 lines are read', part('', 'a:\r\n'.repeat(199)), true],
      ['more than 200 are not', part('', 'a:\n'.repeat(200)), false],
      ['nor a million', part('', 'a:\n'.repeat(1_000_000)), false],
      ['100 lines in front are read', part('a:\r\n'.repeat(100), ''), true],
      ['a million are not', part('a:\n'.repeat(1_000_000), ''), false],
      ['a million empty lines in front are passed over', part('\n'.repeat(1_000_000), ''), true],
      ['16,384 characters in front are not', part(long(16_384) + 'a:\r\n', ''), false],
    ];
    for (const [name, text, isRead] of cases) {
      it(name, () => expect(readBatch(TYPE, text)?.parts[0] !== undefined).to.equal(isRead));
    }
  });

  it('reads back any parts with any boundary', () => {
    const boundary = fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{1,69}[0-9A-Za-z]$/);
    const body = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }).filter((text) => !/^[\s\uFEFF?]*[{[<]/.test(text)),
      fc.constantFrom('\r\n', '\r\n\r\n', '--', '\r\n--', 'HTTP/1.1 500 No\r\n\r\n'),
    );
    const part = fc.record({ status: fc.integer({ min: 100, max: 599 }), body });
    fc.assert(
      fc.property(boundary, fc.boolean(), fc.array(part, { maxLength: 6 }), (name, isNamed, parts) => {
        fc.pre(parts.every((one) => !one.body.includes(`--${name}`)));
        fc.pre(isNamed || parts.length > 0);
        const type = isNamed ? `multipart/batching; boundary="${name}"` : 'multipart/batching';
        const read = readBatch(type, batchText(parts, name));
        expect(read).to.deep.equal({ isClosed: true, parts: parts.map((one) => ({ ...one, headers: {} })) });
      }),
      { numRuns: 500 },
    );
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      '--b1',
      '--b1--',
      '\r\n',
      '\n',
      'HTTP/1.1 200 OK',
      'A: b',
      '{',
      '?',
      '\uFEFF',
      ' ',
      '--',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.option(fc.string(), { nil: undefined }),
        (pieces, type) => {
          readBatch(type, pieces.join(''));
          readBatch(TYPE, pieces.join(''));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('delimitersIn', () => {
  it('finds the start and end of the content between delimiters', () => {
    const text = 'x\r\n--b \r\none\r\n--b\ntwo\n--b--\r\nend\r\n--b';
    const found = delimitersIn(text, 'b', 3) ?? [];
    expect(found.map(({ closes }) => closes)).to.deep.equal([false, false, true]);
    expect(text.slice(found[0]?.after, found[1]?.before)).to.equal('\r\none');
    expect(text.slice(found[1]?.after, found[2]?.before)).to.equal('\ntwo');
  });

  it('finds none if there are more than allowed', () => {
    expect(delimitersIn('--b\n--b\n--b', 'b', 3)).to.have.length(3);
    expect(delimitersIn('--b\n--b\n--b', 'b', 2)).to.equal(undefined);
  });

  const none: readonly [name: string, text: string][] = [
    ['another boundary', '--bb\n'],
    ['a longer line', '--b c\n'],
    ['text before it', 'a--b\n'],
    ['a blank before it', 'a\n --b\n'],
    ['a line separator before it', 'a\u2028--b\n'],
    ['a paragraph separator before it', 'a\u2029--b\n'],
    ['a carriage return before it', 'a\r--b\n'],
    ['a line separator after it', '--b\u2028'],
    ['a carriage return after it', '--b\r'],
    ['three dashes after it', '--b---\n'],
    ['nothing', ''],
  ];
  for (const [name, text] of none) {
    it(`finds none in ${name}`, () => expect(delimitersIn(text, 'b', 9)).to.equal(undefined));
  }
});

describe('inferredBoundary', () => {
  const cases: readonly [name: string, text: string, boundary: string | undefined][] = [
    ['the first line', '--b\r\n', 'b'],
    ['the only line', '--b', 'b'],
    ['a line after a preamble', 'Hello\n--b\n--c\n', 'b'],
    ['a line after a BOM', '\uFEFF--b\n', 'b'],
    ['a line after a question mark', '?--b\n', 'b'],
    ['a line with blanks at its end', '--b \t\r\n', 'b'],
    ['a line with blanks inside', '--a b\n', 'a b'],
    ['a line that closes', '--b--\n', undefined],
    ['a rule of dashes', '------\n', undefined],
    ['a line after U+2028', 'Hello\u2028--b\u2028\n', undefined],
    ['a line with U+2028 inside', '--a\u2028b\n', 'a\u2028b'],
    ['a line with a carriage return inside', '--a\rb\n', undefined],
    ['a line that is too long', `--${'b'.repeat(201)}\n--c\n`, 'c'],
    ['nothing', '', undefined],
  ];
  for (const [name, text, boundary] of cases) {
    it(`reads ${name}`, () => expect(inferredBoundary(text)).to.equal(boundary));
  }
});
