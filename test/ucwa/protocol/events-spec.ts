import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { decode, decodeNoting } from '../../../lib/core/decode.ts';
import { DecodeError } from '../../../lib/core/errors.ts';
import {
  type CompletedEvent,
  type DeletedEvent,
  eventsOf,
  eventsResponseCodec,
  lenientCodec,
  type UcwaEvent,
} from '../../../lib/ucwa/protocol/events.ts';
import { ofType } from '../../../operators/ofType.ts';

const read = (sent: object): UcwaEvent[] =>
  eventsOf(decode(eventsResponseCodec, 'event channel response')(sent));

const NEXT = { next: { href: '/events?ack=2' } };
const people = { rel: 'people', href: '/people' };
const me = { rel: 'me', href: '/me' };

describe('EventsResponse', () => {
  it('returns events in the order of the server with their senders', () => {
    const events = read({
      _links: { self: { href: '/events?ack=1' }, ...NEXT },
      sender: [
        {
          ...people,
          events: [
            {
              link: { rel: 'contact', href: '/people/sara@contoso.com' },
              in: { rel: 'subscribedContacts', href: '/people/subscribedContacts' },
              type: 'deleted',
            },
          ],
        },
        { ...me, events: [{ link: me, type: 'updated' }] },
        { ...people, events: [{ link: { rel: 'contact', href: '/people/2', title: 'Two' }, type: 'added' }] },
      ],
    });
    expect(events).to.deep.equal([
      {
        type: 'deleted',
        link: { rel: 'contact', href: '/people/sara@contoso.com' },
        in: { rel: 'subscribedContacts', href: '/people/subscribedContacts' },
        sender: people,
      },
      { type: 'updated', link: me, sender: me },
      { type: 'added', link: { rel: 'contact', href: '/people/2', title: 'Two' }, sender: people },
    ]);
  });

  it('returns the status and reason of an operation', () => {
    const [event] = read({
      _links: NEXT,
      sender: [
        {
          ...me,
          events: [
            {
              link: { rel: 'message', href: '/m/1' },
              type: 'completed',
              status: 'Failure',
              reason: { code: 'RemoteFailure', subcode: 'SomethingNew' },
            },
          ],
        },
      ],
    });
    expect(event).to.deep.include({
      status: 'Failure',
      reason: { code: 'RemoteFailure', subcode: 'SomethingNew' },
    });
  });

  const embeddedCases: readonly (readonly [string, object, unknown])[] = [
    ['an object', { conversation: { rel: 'conversation', state: 'Idle' } }, 'Idle'],
    ['a list', { conversation: [{ state: 'Idle' }] }, 'Idle'],
    ['under another key than its rel', { thread: { rel: 'conversation', state: 'Idle' } }, 'Idle'],
    ['with a rel that is not its key', { conversation: { rel: 'thread', state: 'Idle' } }, 'Idle'],
    [
      'a list with others',
      {
        conversation: [
          { state: 'Other', _links: { self: { href: '/c/2' } } },
          { state: 'Idle', _links: { self: { href: 'https://fe1.contoso.com/C/1' } } },
        ],
      },
      'Idle',
    ],
    ['a list of which none is the one', { conversation: [{ state: 'First' }, { state: 'Second' }] }, 'First'],
    ['nothing', {}, undefined],
  ];
  for (const [name, embedded, state] of embeddedCases) {
    it(`finds the embedded resource: ${name}`, () => {
      const [event] = read({
        _links: NEXT,
        sender: [
          {
            ...me,
            events: [{ link: { rel: 'conversation', href: '/c/1' }, type: 'updated', _embedded: embedded }],
          },
        ],
      });
      expect(event?.resource?.['state']).to.equal(state);
      expect(event).not.to.have.property('_embedded');
    });
  }

  it('finds a resource under a relation named like a member of Object', () => {
    for (const rel of ['__proto__', 'constructor', 'toString']) {
      const event = {
        link: { rel, href: '/people/1' },
        type: 'updated',
        _embedded: { other: { etag: '1' } },
      };
      const [read1, read2] = read({
        _links: NEXT,
        sender: [{ ...people, events: [event, { ...event, _embedded: {} }] }],
      });
      expect(read1?.resource).to.deep.equal({ etag: '1' });
      expect(read2).not.to.have.property('resource');
    }
  });

  it('drops resources nested deeper than 32 levels, with and without the guard', () => {
    const sent = (depth: number): object => ({
      _links: NEXT,
      sender: [
        {
          ...people,
          events: [
            {
              ...{ link: me, type: 'updated' },
              _embedded: JSON.parse(
                `${'{"a":{"_embedded":'.repeat(depth - 1)}{}${'}}'.repeat(depth - 1)}`,
              ) as unknown,
            },
          ],
        },
      ],
    });
    for (const codec of [eventsResponseCodec, lenientCodec]) {
      expect(decode(codec, 'events')(sent(32))).to.deep.equal(sent(32));
      for (const depth of [33, 100_000]) {
        const [event] = eventsOf(decode(codec, 'events')(sent(depth)));
        expect(JSON.stringify(event).split('_embedded')).to.have.length(32);
      }
    }
  });

  for (const [what, path, sender] of [
    ['senders', 'sender/0', Array<unknown>(1000).fill({})],
    ['events', 'sender/0/events/0', [{ ...people, events: Array<unknown>(1000).fill({}) }]],
  ] as const) {
    it(`reports only the first of a thousand wrong ${what}`, () => {
      const decoded = lenientCodec.decode({ _links: NEXT, sender });
      // Each codec that a value has to match reports one.
      expect(decoded._tag === 'Left' && decoded.left.length).to.be.within(1, 5);
      expect(() => decode(lenientCodec, 'events')({ _links: NEXT, sender })).to.throw(`/${path}`);
    });
  }

  it('returns undocumented types and relations unchanged', () => {
    const [event] = read({
      _links: NEXT,
      sender: [{ ...me, events: [{ link: { rel: 'novelty', href: '/n' }, type: 'postponed' }] }],
    });
    expect(event).to.deep.equal({ type: 'postponed', link: { rel: 'novelty', href: '/n' }, sender: me });
  });

  const emptyCases: readonly (readonly [string, object])[] = [
    ['no sender', { _links: NEXT }],
    ['an empty list of senders', { _links: NEXT, sender: [] }],
    ['a sender without events', { _links: NEXT, sender: [people] }],
  ];
  for (const [name, sent] of emptyCases) {
    it(`returns no event for ${name}`, () => {
      expect(read(sent)).to.deep.equal([]);
    });
  }

  const odd: readonly (readonly [string, object, dropped: number])[] = [
    ['in: null', { in: null }, 1],
    ['in without href', { in: { rel: 'people' } }, 1],
    ['status: null', { status: null }, 1],
    ['status: a number', { status: 7 }, 1],
    ['_embedded: null', { _embedded: null }, 1],
    ['reason: a text', { reason: 'because' }, 1],
    ['reason without code', { reason: { code: null, subcode: 'X' } }, 1],
    ['title: null', { link: { ...me, title: null } }, 1],
  ];
  for (const [name, member, count] of odd) {
    it(`returns an event without its ill-typed member: ${name}`, () => {
      let dropped = 0;
      const other = { link: people, type: 'added', status: 'Success' };
      const sent = {
        _links: NEXT,
        sender: [{ ...me, events: [{ link: me, type: 'updated', ...member }, other] }],
      };
      const response = decodeNoting(eventsResponseCodec, 'events', sent, (members) => (dropped += members));
      expect(eventsOf(response)).to.deep.equal([
        { type: 'updated', link: me, sender: me },
        { ...other, sender: me },
      ]);
      expect(dropped).to.equal(count);
    });
  }

  it('keeps the other members of a reason and of a resource', () => {
    const contact = { rel: 'contact', etag: 12, name: 'Sara', _links: { self: people, contactPhoto: null } };
    const [event] = read({
      _links: { ...NEXT, self: null, resume: null, resync: null },
      sender: [
        {
          ...{ ...me, title: null },
          events: [
            {
              ...{ link: me, type: 'completed', _embedded: { contact, me: null } },
              reason: { code: 'X', subcode: null, link: 'https://contoso.com', message: 'm' },
            },
          ],
        },
      ],
    });
    expect(event).to.deep.equal({
      ...{ type: 'completed', link: me, sender: me, reason: { code: 'X', message: 'm' } },
      resource: { rel: 'contact', name: 'Sara', _links: { self: people } },
    });
  });

  const event = { link: me, type: 'updated' };
  const lists: readonly (readonly [string, unknown, events: number])[] = [
    ['a sender that is no list', { ...me, events: [event] }, 1],
    ['events that are no list', [{ ...me, events: event }], 1],
    ['null beside events', [null, { ...me, events: [null, event, 7] }], 1],
    [
      'events: null',
      [
        { ...me, events: null },
        { ...people, events: [event] },
      ],
      1,
    ],
    ['sender: null', null, 0],
    ['sender: a text', 'text', 0],
  ];
  for (const [name, sender, count] of lists) {
    it(`returns every event: ${name}`, () => {
      expect(read({ _links: NEXT, sender })).to.have.length(count);
    });
  }

  const badCases: readonly (readonly [string, object, string])[] = [
    ['no links', {}, '/_links'],
    [
      'an event without link',
      { _links: NEXT, sender: [{ ...me, events: [{ type: 'added' }] }] },
      '/sender/0/events/0/link',
    ],
    [
      'an event without type',
      { _links: NEXT, sender: [{ ...me, events: [{ link: me }] }] },
      '/sender/0/events/0/type',
    ],
    ['a sender without href', { _links: NEXT, sender: [{ rel: 'me' }] }, '/sender/0/href'],
  ];
  for (const [name, sent, path] of badCases) {
    it(`reports ${name} with its path`, () => {
      expect(() => read(sent)).to.throw(DecodeError, `at ${path}`);
    });
  }
});

describe('UcwaEvent', () => {
  it('is distinguished by its type', () => {
    const deleted = ofType<UcwaEvent, 'deleted'>('deleted');
    expectTypeOf<Extract<UcwaEvent, { type: 'deleted' }>>().toEqualTypeOf<DeletedEvent>();
    expectTypeOf<Extract<UcwaEvent, { type: 'completed' }>>().toEqualTypeOf<CompletedEvent>();
    expectTypeOf<'postponed'>().toExtend<UcwaEvent['type']>();
    expect(deleted).to.be.a('function');
  });
});
