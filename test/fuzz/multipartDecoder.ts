import type { HttpRequest } from '../../lib/core/transport/transport.ts';
import { answersOf } from '../../lib/ucwa/batch/message.ts';
import { eventsResponseCodec } from '../../lib/ucwa/protocol/events.ts';
import { requestJson } from '../../lib/ucwa/protocol/request.ts';
import { resourceCodec } from '../../lib/ucwa/protocol/resource.ts';
import { batchText } from '../support/ucwa/batches.ts';
import type { Random } from '../support/random/random.ts';
import { responseOf } from './chunks.ts';
import { emittedBy } from './outcome.ts';
import type { Decoder, Sample } from './sample.ts';

const BOUNDARY = '3968fb75-0b0e';
const HREF = '/ucwa/v1/applications/192/people/presenceSubscriptions/1';
const REQUESTS: readonly HttpRequest[] = ['DELETE', 'GET', 'POST'].map((method) => ({
  ...{ method, url: `https://pool.contoso.com${HREF}` },
  onProgress: () => undefined,
}));
const ASKED = { method: 'GET', url: `https://pool.contoso.com${HREF}` };
const TYPES = [`multipart/batching; boundary="${BOUNDARY}"`, `multipart/batching;boundary=${BOUNDARY}`];

const subscription = JSON.stringify({ id: '1', _links: { self: { href: HREF } } });
const PARTS = [
  { status: 204 },
  { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: subscription },
  {
    status: 404,
    headers: { 'Content-Type': 'application/json', 'Retry-After': '3', 'X-A': 'b', 'x-a': 'c' },
    body: '{"code":"NotFound","subcode":"ApplicationNotFound"}',
  },
];
const whole = batchText(PARTS, BOUNDARY);

function readBatch(type: string | undefined, text: string, random: Random): unknown {
  const response = responseOf(text, random, type === undefined ? {} : { type });
  const headers = { get: (name: string) => (name === 'content-type' ? type : undefined) };
  return answersOf(REQUESTS, { ...response, headers }, text).map((answer$) => {
    try {
      return emittedBy(requestJson(() => answer$, ASKED, resourceCodec, 'part'));
    } catch (error) {
      if (typeof error === 'object' && error !== null && '_tag' in error) return error;
      throw error;
    }
  });
}

const sample = (name: string, text: string, named = true): Sample => ({
  name,
  text,
  read: (mutant, random) => readBatch(named ? random.pick(TYPES) : undefined, mutant, random),
});

/** The decoder of UCWA batch responses. */
export const MULTIPART_DECODER: Decoder = {
  name: 'multipart',
  samples: [
    sample('a batch', whole),
    sample('a batch with line ends of the other kind', batchText(PARTS, BOUNDARY, '\n')),
    sample('a batch that names no boundary', `This is a message of many parts.\r\n${whole}`, false),
    sample('a batch with the bytes of a BOM', whole.replaceAll('HTTP/1.1 ', '?HTTP/1.1'), false),
    sample('a batch without a header of its parts', whole.replaceAll(/Content-Type: app.*?\r\n\r\n/g, '')),
    sample('a batch that closes as it began', whole.replace('--\r\n', '\r\n')),
    {
      name: 'the type of a batch',
      text: TYPES.join(', '),
      read: (type, random) => readBatch(type, whole, random),
    },
    {
      name: 'events in a part',
      text: batchText(
        [{ status: 200, body: '{"_links":{"next":{"href":"/e?ack=2"}},"sender":[]}' }, ...PARTS.slice(1)],
        BOUNDARY,
      ),
      read: (text, random) => {
        const response = responseOf(text, random, { type: TYPES[0]! });
        return answersOf(REQUESTS, response, text)
          .slice(0, 1)
          .map((answer$) => emittedBy(requestJson(() => answer$, ASKED, eventsResponseCodec, 'events')));
      },
    },
  ],
  wrappings: [
    [`--${BOUNDARY}\r\n`, `--${BOUNDARY}--\r\n`],
    ['Content-Type: a\r\n', '\r\n'],
    ['{"_embedded":{"a":', '}}'],
  ],
  words: [
    ...[
      `--${BOUNDARY}`,
      `--${BOUNDARY}--`,
      `\r\n--${BOUNDARY}\r\n`,
      '--',
      '--a',
      'boundary=',
      ';boundary="',
      '=',
    ],
    ...['HTTP/1.1 200 OK', 'HTTP/1.1204', 'HTTP/1.1 99999', 'HTTP/', '? ? ', ': ', ' :', 'a: b\r\n', '\n\n'],
    ...['Content-Length: 99999999', 'Transfer-Encoding: chunked', '__proto__: x\r\n', '{', '[', '\t ', '- -'],
  ],
};
