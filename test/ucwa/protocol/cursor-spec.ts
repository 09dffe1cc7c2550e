import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import {
  advance,
  type ChannelParameters,
  type Cursor,
  withParameters,
} from '../../../lib/ucwa/protocol/cursor.ts';

const APPLICATION = 'https://pool.contoso.com/ucwa/v1/applications/101';

describe('withParameters', () => {
  const cases: readonly (readonly [string, string, ChannelParameters, string])[] = [
    [
      'leave the link as it is without parameters',
      '/events?ack=1',
      {},
      'https://pool.contoso.com/events?ack=1',
    ],
    [
      'add parameters to those that are there',
      '/events?ack=5',
      { mediumSeconds: 300, lowSeconds: 600, timeoutSeconds: 900, priority: 1 },
      'https://pool.contoso.com/events?ack=5&low=600&medium=300&timeout=900&priority=1',
    ],
    [
      'add parameters to none',
      '/events',
      { timeoutSeconds: 180 },
      'https://pool.contoso.com/events?timeout=180',
    ],
    [
      'replace one that is there',
      '/events?low=15&ack=1',
      { lowSeconds: 5 },
      'https://pool.contoso.com/events?low=5&ack=1',
    ],
    [
      'send a priority of zero that was asked for',
      '/events',
      { priority: 0 },
      'https://pool.contoso.com/events?priority=0',
    ],
    [
      'keep the spelling of opaque parameters',
      '/events?ack=5&x=%2b/a==&y',
      { priority: 1 },
      'https://pool.contoso.com/events?ack=5&x=%2b/a==&y&priority=1',
    ],
    ['take an absolute link', 'http://sample/events', { lowSeconds: 5 }, 'http://sample/events?low=5'],
  ];
  for (const [name, href, parameters, url] of cases) {
    it(name, () => {
      const cursor = { url: new URL(href, APPLICATION).href };
      expect(withParameters(cursor, parameters)).to.deep.equal({ url });
    });
  }
});

describe('advance', () => {
  const cursor: Cursor = { url: 'https://pool.contoso.com/ucwa/events?ack=1&medium=300' };
  const self = { href: '/ucwa/events?ack=1' };

  const nextCases: readonly (readonly [string, string, string])[] = [
    ['relative', '/ucwa/events?ack=2', 'https://pool.contoso.com/ucwa/events?ack=2'],
    ['absolute', 'https://pool.contoso.com/ucwa/events?ack=2', 'https://pool.contoso.com/ucwa/events?ack=2'],
    ['absolute on another server', 'http://sample:8080/e?ack=2', 'http://sample:8080/e?ack=2'],
    ['with a query of another name', '/ucwa/events?ck=11', 'https://pool.contoso.com/ucwa/events?ck=11'],
    ['with opaque parameters', '/e?ack=2&x=%2b/a==&y', 'https://pool.contoso.com/e?ack=2&x=%2b/a==&y'],
    ['without a query', '/ucwa/events/2', 'https://pool.contoso.com/ucwa/events/2'],
  ];
  for (const [name, href, url] of nextCases) {
    it(`follows next verbatim: ${name}`, () => {
      expect(advance(cursor, { _links: { self, next: { href } } })).to.deep.equal({
        cursor: { url },
        batch: { self: self.href, next: href, events: [] },
      });
    });
  }

  const gapCases: readonly (readonly [string, object, 'resume' | 'resync', string])[] = [
    ['resume', { resume: { href: '/e?ack=3' } }, 'resume', '/e?ack=3'],
    ['resync', { resync: { href: '/e?ack=4' } }, 'resync', '/e?ack=4'],
    [
      'resume beside next',
      { next: { href: '/e?ack=2' }, resume: { href: '/e?ack=3' } },
      'resume',
      '/e?ack=3',
    ],
    [
      'resync beside resume',
      { resume: { href: '/e?ack=3' }, resync: { href: '/e?ack=4' } },
      'resync',
      '/e?ack=4',
    ],
  ];
  for (const [name, links, reason, href] of gapCases) {
    it(`follows and reports ${name}`, () => {
      expect(advance(cursor, { _links: { self, ...links } })).to.deep.equal({
        cursor: { url: `https://pool.contoso.com${href}` },
        batch: {
          self: self.href,
          next: href,
          gap: reason,
          events: [
            {
              type: 'gap',
              reason,
              link: { rel: reason, href: '/e' },
              sender: { rel: 'events', href: 'https://pool.contoso.com/ucwa/events' },
            },
          ],
        },
      });
    });
  }

  it('removes queries and fragments from the hrefs of a gap', () => {
    const held: Cursor = { url: 'https://pool.contoso.com/events?key=hush&ack=1' };
    const { batch } = advance(held, { _links: { resync: { href: '/e?key=hush&ack=2#hush' } } });
    expect(batch.next).to.equal('/e?key=hush&ack=2#hush');
    expect(JSON.stringify(batch.events)).to.contain('"/e"').and.not.contain('hush');
  });

  it('puts the gap before the events of the response', () => {
    const sender = [
      { rel: 'me', href: '/me', events: [{ type: 'updated', link: { rel: 'me', href: '/me' } }] },
    ];
    const { batch } = advance(cursor, { _links: { resume: { href: '/e?ack=3' } }, sender });
    expect(batch.events.map(({ type }) => type)).to.deep.equal(['gap', 'updated']);
    expect(batch).not.to.have.property('self');
  });

  it('throws for a response without a link to follow', () => {
    expect(() => advance(cursor, { _links: { self } })).to.throw(
      DecodeError,
      'expected one of next, resume, resync at /_links, but there is self only',
    );
    expect(() => advance(cursor, { _links: {} })).to.throw(DecodeError, 'but there is none');
  });
});
