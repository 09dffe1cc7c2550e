import { expect } from 'chai';
import { of } from 'rxjs';
import { DecodeError } from '../../../lib/core/errors.ts';
import type { ParserOptions } from '../../../lib/ews/protocol/parser.ts';
import { parseStream, streamingParser } from '../../../lib/ews/protocol/streamParser.ts';
import { caseCount } from '../../support/random/caseCount.ts';
import { envelope } from '../answers.ts';
import { bare, closed, grommunioStream, message, status, streamed } from '../streaming/streams.ts';

const encoder = new TextEncoder();

/** Returns the subscription and event types of each message of a stream, or its error. */
function read(chunks: readonly Uint8Array[], options?: ParserOptions): string[] {
  const found: string[] = [];
  const parser = streamingParser((each) => {
    if (each.type === 'unreadable') {
      found.push('unreadable');
      return;
    }
    if (each.type === 'fault') {
      found.push(`fault ${each.faultCode}`);
      return;
    }
    const events = each.notifications.flatMap((notification) =>
      notification.events.map(({ type, subscriptionId }) => `${subscriptionId}:${type}`),
    );
    found.push(
      [...events, ...each.errorSubscriptionIds.map((id) => `!${id}`), each.connectionStatus ?? '-'].join(' '),
    );
  }, options);
  for (const chunk of chunks) parser.write(chunk);
  parser.end();
  return found;
}

const readText = (text: string, options?: ParserOptions): string[] => read([encoder.encode(text)], options);

const exchangeStream = [
  message(status('OK')),
  message(streamed('Ä1', 'CreatedEvent', 'NewMailEvent') + streamed('Ä1', 'ModifiedEvent') + status('OK')),
  message(status('Closed')),
].join('');
const exchangeRead = ['OK', 'Ä1:created Ä1:newMail Ä1:modified OK', 'Closed'];

const broken = message(streamed('S2', 'CreatedEvent') + status('OK'));
const good = message(streamed('S1', 'NewMailEvent') + status('OK'));
const goodRead = 'S1:newMail OK';

const cases: readonly [name: string, stream: string, expected: readonly string[]][] = [
  ['with a declaration before each', exchangeStream, exchangeRead],
  [
    'with a declaration only before the first, and plain names',
    grommunioStream,
    ['OK', 'S1:status S2:status OK', 'S1:created OK', 'Closed'],
  ],
  [
    'with comments and instructions before the element',
    good + good.replace('?>', '?> <!-- a --><?b c?>\n<!-- d -->') + `<!-- e --> ${bare(good)}`,
    [goodRead, goodRead, goodRead],
  ],
  ['with lines between them', `\n${good}\r\n\n${bare(good)}\n`, [goodRead, goodRead]],
  [
    'with an error among them',
    closed('ErrorInvalidSubscription', 'S9') + bare(good),
    ['!S9 Closed', goodRead],
  ],
  [
    'with one that is not closed right between two good ones',
    good + broken.replace('</t:CreatedEvent>', '</t:Other>') + good,
    [goodRead, 'unreadable', goodRead],
  ],
  [
    'with one that holds what XML does not know',
    good + broken.replace('S2', 'S&2;') + good,
    [goodRead, 'unreadable', goodRead],
  ],
  [
    'with one that is not what the schema says',
    good + broken.replace(/<t:SubscriptionId>.*?<\/t:SubscriptionId>/, '') + good,
    [goodRead, 'unreadable', goodRead],
  ],
  [
    'with a document type in one',
    good + broken.replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>') + good,
    [goodRead, 'unreadable', 'S2:created OK', goodRead],
  ],
  ['with text between two', `${good}502 Bad Gateway${good}`, [goodRead, 'unreadable', goodRead]],
  [
    'with a page between two',
    `${good}<html><body>Bad<hr>gateway</body></html>${bare(good)}`,
    [goodRead, 'unreadable', goodRead],
  ],
  [
    'with two that cannot be read, one behind the other',
    good + broken.replace('OK', '&') + broken.replace('OK', '<') + good,
    [goodRead, 'unreadable', 'unreadable', goodRead],
  ],
  ['with nothing good behind the bad one', good + broken.replace('OK', '&'), [goodRead, 'unreadable']],
  ['that begins with one', broken.replace('OK', '&') + good, ['unreadable', goodRead]],
  [
    'with a fault in it',
    good + envelope('<s:Fault><faultcode>a:ErrorServerBusy</faultcode></s:Fault>'),
    [goodRead, 'fault a:ErrorServerBusy'],
  ],
];

describe('A stream of envelopes', () => {
  for (const [name, stream, expected] of cases) {
    it(`is read ${name}, cut at any byte`, () => {
      const bytes = encoder.encode(stream);
      expect(read([bytes])).to.deep.equal(expected);
      for (let at = 1; at < bytes.length; at += caseCount(7, 1)) {
        expect(read([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).to.deep.equal(expected);
      }
      expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), 'byte by byte').to.deep.equal(expected);
    });
  }

  /**
   * Cuts a stream at every byte, and again 1, 2, 4, … bytes later; returns the cuts that change the result.
   */
  const pairsAt = (stream: string, positions: readonly number[], expected: readonly string[]): string[] => {
    const bytes = encoder.encode(stream);
    const wrong: string[] = [];
    for (const first of positions) {
      for (let second = first + 1; second < bytes.length; second += second - first) {
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        if (read(chunks).join() !== expected.join()) wrong.push(`${first}/${second}`);
      }
    }
    return wrong;
  };

  const small = (prefix: string, content: string): string =>
    `<${prefix}Envelope><${prefix}Body><R><M><x>${content}</x></M></R></${prefix}Body></${prefix}Envelope>`.replaceAll(
      /(<\/?)M>/g,
      '$1ResponseMessages>',
    );
  const event = '<Notification><SubscriptionId>Ä</SubscriptionId><StatusEvent/></Notification>';
  for (const [name, stream] of [
    [
      'with a declaration before each',
      `<?xml version="1.0"?>${small('s:', event)}<?xml version="1.0"?>${small('s:', '')}`,
    ],
    [
      'with one before the first, and one that cannot be read',
      `<?xml version="1.0"?>${small('', '&')}${small('', event)}`,
    ],
  ] as const) {
    it(`is read the same when cut in two places, ${name}`, () => {
      const { length } = encoder.encode(stream);
      const positions = Array.from({ length: length - 1 }, (_, index) => index + 1);
      const expected = name.includes('cannot') ? ['unreadable', 'Ä:status -'] : ['Ä:status -', '-'];
      expect(pairsAt(stream, positions, expected)).to.deep.equal([]);
    });
  }

  for (const [name, stream, expected] of [
    ['Exchange', exchangeStream, exchangeRead],
    ['grommunio', grommunioStream, ['OK', 'S1:status S2:status OK', 'S1:created OK', 'Closed']],
  ] as const) {
    it(`is read the same when cut around the ends of ${name} envelopes`, () => {
      const { length } = encoder.encode(stream);
      const positions = new Set<number>();
      for (const { index } of stream.matchAll(/<\/\w+:Envelope>|Ä/g)) {
        const around = encoder.encode(stream.slice(0, index)).length;
        for (let at = around; at < Math.min(around + 40, length); at += 1) positions.add(at);
      }
      expect(pairsAt(stream, [...positions], expected)).to.deep.equal([]);
    });
  }

  it('loses only an envelope that breaks off, at any byte', () => {
    const declaration = broken.length - bare(broken).length;
    for (const next of [good, bare(good)]) {
      for (let at = 1; at < broken.length; at += caseCount(5, 1)) {
        // Only a declaration was lost.
        if (next !== good && at === declaration) continue;
        const found = readText(good + broken.slice(0, at) + next);
        expect(found.at(-1), `cut at ${at}`).to.equal(goodRead);
        expect(found.slice(0, -1), `cut at ${at}`).to.deep.equal([goodRead, 'unreadable']);
      }
    }
  });

  it('reports a last envelope that breaks off', () => {
    for (let at = 1; at < broken.length; at += caseCount(5, 1)) {
      expect(readText(good + broken.slice(0, at)), `cut at ${at}`).to.deep.equal([goodRead, 'unreadable']);
    }
  });

  it('has a bounded buffer for an endless envelope', () => {
    const limits = { messageCharacters: 2000 };
    expect(() => readText(`<s:Envelope>${'<a>b</a>'.repeat(300)}`, limits), 'an envelope').to.throw(
      DecodeError,
    );
    expect(() => readText(`</x>${'<a>b</a>'.repeat(300)}`, limits), 'no envelope').to.throw(DecodeError);
    expect(() => readText(`</x><${'a'.repeat(3000)}`, limits), 'no end of a name').to.throw(DecodeError);
    expect(readText(`</x>${'a'.repeat(1000)}${message(status('OK'))}`.repeat(3), limits)).to.have.length(6);
  });
});

describe('parseStream', () => {
  const seen = (chunks: readonly string[]): string[] => {
    const types: string[] = [];
    of(...chunks.map((chunk) => encoder.encode(chunk)))
      .pipe(parseStream({ subject: 'GetStreamingEvents response', messageCharacters: 5000 }))
      .subscribe({
        next: ({ type }) => types.push(type),
        error: (error: unknown) => types.push(error instanceof DecodeError ? 'DecodeError' : 'another'),
        complete: () => types.push('complete'),
      });
    return types;
  };

  it('emits an unreadable envelope with the reason, and continues', () => {
    expect(seen([good, broken.replace('OK', '&'), good])).to.deep.equal([
      'response',
      'unreadable',
      'response',
      'complete',
    ]);
    of(encoder.encode(broken.replace('</t:CreatedEvent>', '</t:Other>')))
      .pipe(parseStream({ subject: 'GetStreamingEvents response' }))
      .subscribe((each) => {
        expect(each)
          .to.have.nested.property('problem.path')
          .that.matches(/\/Notification/);
      });
  });

  it('emits one error for many unreadable envelopes', () => {
    const flood = '<Envelope>'.repeat(1000);
    expect(seen([flood])).to.deep.equal(['unreadable', 'complete']);
    expect(seen([flood, good, flood, flood, good])).to.deep.equal([
      'unreadable',
      'response',
      'unreadable',
      'response',
      'complete',
    ]);
  });

  it('emits an error for an end in the middle', () => {
    expect(seen([good, broken.slice(0, 300)])).to.deep.equal(['response', 'unreadable', 'complete']);
  });

  it('errors for an envelope that is too long', () => {
    expect(seen([good, '<a>', 'b'.repeat(5000)])).to.deep.equal(['response', 'unreadable', 'DecodeError']);
  });
});
