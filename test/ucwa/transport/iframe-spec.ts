import { expect } from 'chai';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import { decode } from '../../../lib/core/decode.ts';
import { DecodeError } from '../../../lib/core/errors.ts';
import { FrameAnswer, readFrameMessage, writeFrameMessage } from '../../../lib/ucwa/transport/iframe.ts';

const URL_OF_ME = 'https://pool.example/ucwa/v1/applications/192/me?a=%26';

describe('writeFrameMessage', () => {
  const written = (request: Partial<HttpRequest>): unknown =>
    JSON.parse(writeFrameMessage({ method: 'GET', url: URL_OF_ME, ...request }, 'm1'));
  const plain = { type: 'GET', url: URL_OF_ME, headers: {}, processData: false, messageId: 'm1' };

  const cases: readonly [name: string, request: Partial<HttpRequest>, expected: unknown][] = [
    ['a plain request', {}, plain],
    [
      'headers, those apart that have a place of their own',
      { headers: { accept: 'application/json', authorization: 'Bearer t' } },
      { ...plain, accepts: 'application/json', headers: { authorization: 'Bearer t' } },
    ],
    [
      'a body and its type',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":"ü"}' },
      { ...plain, type: 'POST', contentType: 'application/json', data: '{"a":"ü"}' },
    ],
    ['credentials', { credentials: 'include' }, { ...plain, xhrFields: { withCredentials: true } }],
    ['no credentials', { credentials: 'omit' }, plain],
    ['no properties that a frame does not support', { keepalive: true, onProgress: () => undefined }, plain],
  ];
  for (const [name, request, expected] of cases) {
    it(`writes ${name}`, () => expect(written(request)).to.deep.equal(expected));
  }
});

describe('readFrameMessage', () => {
  const cases: readonly [name: string, data: unknown, messageId: string | undefined][] = [
    ['an answer', '{"messageId":"m1","status":200}', 'm1'],
    ['an answer that is not text', { messageId: 'm1', status: 200 }, 'm1'],
    ['an answer out of shape', '{"messageId":"m1"}', 'm1'],
    ['another id', '{"messageId":{"Id":1}}', undefined],
    ['no id', '{"status":200}', undefined],
    ['no object', '"m1"', undefined],
    ['null', null, undefined],
    ['the text of null', 'null', undefined],
    ['no JSON', 'ready', undefined],
    ['nothing', undefined, undefined],
  ];
  for (const [name, data, messageId] of cases) {
    it(`reads ${name}`, () => expect(readFrameMessage(data)?.messageId).to.equal(messageId));
  }
});

describe('FrameAnswer', () => {
  const whole = { status: 200, statusText: 'OK', responseText: '{}', headers: 'A: b\r\n', messageId: 'm1' };
  const cases: readonly [answer: object, decoded: object][] = [
    [whole, whole],
    [{ status: 204 }, { status: 204 }],
    [{ status: 0, responseText: null, headers: null }, { status: 0 }],
    [
      { status: 200, responseText: '{}', headers: { a: 'b' } },
      { status: 200, responseText: '{}' },
    ],
    [
      { status: 200, responseText: {}, headers: 'A: b' },
      { status: 200, headers: 'A: b' },
    ],
  ];
  for (const [answer, decoded] of cases) {
    it(`is read of ${JSON.stringify(answer)}`, () =>
      expect(decode(FrameAnswer, 'answer')(answer)).to.deep.equal(decoded));
  }

  it('needs a status that is a number', () => {
    for (const answer of [{ responseText: '{}' }, { status: '200' }, null]) {
      expect(() => decode(FrameAnswer, 'answer')(answer)).to.throw(DecodeError);
    }
  });
});
