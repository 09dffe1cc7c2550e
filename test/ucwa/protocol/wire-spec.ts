import { expect } from 'chai';
import { decode } from '../../../lib/core/decode.ts';
import { DecodeError } from '../../../lib/core/errors.ts';
import {
  applicationCodec,
  embeddedIn,
  hrefOf,
  linkCodec,
  namedLinkCodec,
  presenceSubscriptionCodec,
  reasonCodec,
  resourceCodec,
} from '../../../lib/ucwa/protocol/resource.ts';

describe('Link', () => {
  it('accepts an href whose query is escaped as in XML', () => {
    expect(decode(linkCodec, 'link')({ href: '/events?ack=1&amp;medium=5' })).to.deep.equal({
      href: '/events?ack=1&medium=5',
    });
  });

  it('rejects an empty href and a link without one', () => {
    expect(() => decode(linkCodec, 'link')({ href: '' })).to.throw(DecodeError, '/href');
    expect(() => decode(linkCodec, 'link')({ rel: 'self' })).to.throw(DecodeError, '/href');
  });

  it('requires a rel if that is its type', () => {
    expect(decode(namedLinkCodec, 'link')({ rel: 'me', href: '/me', title: 'Lene' })).to.deep.equal({
      rel: 'me',
      href: '/me',
      title: 'Lene',
    });
    expect(() => decode(namedLinkCodec, 'link')({ href: '/me' })).to.throw(DecodeError, '/rel');
  });
});

describe('Resource', () => {
  it('keeps every property, even one named by a GUID', () => {
    const sent = {
      '56de7bbf-1081-43e6-bbf2-1cabf3224c83': 'please pass this in a PUT request',
      rel: 'communication',
      etag: '2943169141',
      supportedModalities: ['Messaging'],
      _links: { self: { href: '/communication' } },
    };
    expect(decode(resourceCodec, 'resource')(sent)).to.deep.equal(sent);
  });

  it('accepts one link or embedded resource or a list', () => {
    const sent = {
      _links: { self: { href: '/people' }, contact: [{ href: '/people/1' }, { href: '/people/2' }] },
      _embedded: { me: { rel: 'me' }, contact: [{ rel: 'contact' }, { rel: 'contact' }] },
    };
    const resource = decode(resourceCodec, 'resource')(sent);
    expect(resource).to.deep.equal(sent);
    expect(hrefOf(resource, 'self')).to.equal('/people');
    expect(hrefOf(resource, 'contact')).to.equal('/people/1');
    expect(hrefOf(resource, 'note')).to.equal(undefined);
    expect(embeddedIn(resource, 'me')).to.have.length(1);
    expect(embeddedIn(resource, 'contact')).to.have.length(2);
  });

  it('finds an embedded resource by its own rel under another key', () => {
    const resource = decode(
      resourceCodec,
      'resource',
    )({ _embedded: { from: { rel: 'participant', name: 'Lene' } } });
    expect(embeddedIn(resource, 'participant')).to.deep.equal([{ rel: 'participant', name: 'Lene' }]);
    expect(embeddedIn(resource, 'people')).to.deep.equal([]);
    expect(embeddedIn({}, 'people')).to.deep.equal([]);
  });

  it('decodes the hrefs of embedded resources', () => {
    const sent = { _embedded: { people: { _links: { self: { href: '/p?a=1&amp;b=2' } } } } };
    const [people] = embeddedIn(decode(resourceCodec, 'resource')(sent), 'people');
    expect(people === undefined ? undefined : hrefOf(people, 'self')).to.equal('/p?a=1&b=2');
  });

  const mended: readonly [name: string, sent: object, read: object][] = [
    ['a rel', { rel: 7, etag: '1' }, { etag: '1' }],
    ['an etag', { rel: 'me', etag: 12 }, { rel: 'me' }],
    ['all links', { rel: 'me', _links: null }, { rel: 'me' }],
    ['a link', { _links: { self: { href: '/a' }, photo: null } }, { _links: { self: { href: '/a' } } }],
    [
      'an href',
      { _links: { self: { href: 7 }, photo: { href: '/b' } } },
      { _links: { photo: { href: '/b' } } },
    ],
    [
      'a link of a list',
      { _links: { contact: [{ href: '/a' }, { href: 7 }, null, { href: '/b' }] } },
      { _links: { contact: [{ href: '/a' }, { href: '/b' }] } },
    ],
    ['a title', { _links: { self: { href: '/a', title: null } } }, { _links: { self: { href: '/a' } } }],
    ['all embedded resources', { rel: 'me', _embedded: 'text' }, { rel: 'me' }],
    [
      'an embedded resource',
      { _embedded: { contact: 3, me: { rel: 'me' } } },
      { _embedded: { me: { rel: 'me' } } },
    ],
    [
      'an embedded resource of a list',
      { _embedded: { contact: [{ rel: 'contact' }, null] } },
      { _embedded: { contact: [{ rel: 'contact' }] } },
    ],
    [
      'a member of an embedded resource',
      { _embedded: { people: { _embedded: { contact: [{ etag: 1, _links: { self: { href: '/a' } } }] } } } },
      { _embedded: { people: { _embedded: { contact: [{ _links: { self: { href: '/a' } } }] } } } },
    ],
  ];
  for (const [name, sent, read] of mended) {
    it(`drops only ${name} that is null or ill-typed`, () => {
      expect(decode(resourceCodec, 'resource')(sent)).to.deep.equal(read);
    });
  }

  it('drops resources nested deeper than 32 levels without a stack overflow', () => {
    const deep = (depth: number): unknown =>
      JSON.parse(`${'{"_embedded":{"a":['.repeat(depth)}{}${']}}'.repeat(depth)}`);
    expect(decode(resourceCodec, 'resource')(deep(32))).to.deep.equal(deep(32));
    for (const depth of [33, 2_000, 100_000]) {
      expect(decode(resourceCodec, 'resource')(deep(depth))).to.deep.equal(deep(32));
    }
  });

  it('rejects a value that is no object', () => {
    for (const value of ['text', null, [1], 7]) {
      expect(() => decode(resourceCodec, 'resource')(value), String(value)).to.throw(DecodeError);
    }
  });
});

describe('Reason', () => {
  it('requires a code only', () => {
    expect(decode(reasonCodec, 'reason')({ code: 'NotFound' })).to.deep.equal({ code: 'NotFound' });
    expect(reasonCodec.is({ error: 'unsupported_grant_type' })).to.equal(false);
  });

  it('accepts undocumented subcodes', () => {
    const sent = {
      code: 'Conflict',
      subcode: 'SomethingNew',
      message: 'An error occurred.',
      link: { rel: 'help', href: 'https://contoso.com/help' },
      parameters: [{ name: 'x' }],
      debugInfo: { diagnosticsCode: '2' },
    };
    expect(decode(reasonCodec, 'reason')(sent)).to.deep.equal(sent);
  });

  it('keeps its code if another member is null or ill-typed', () => {
    const codes = { code: 'NotFound', subcode: 'ApplicationNotFound' };
    for (const extra of [
      { message: null },
      { link: 'https://help.contoso.com' },
      { link: null },
      { message: 7 },
    ]) {
      expect(decode(reasonCodec, 'reason')({ ...codes, ...extra })).to.deep.equal(codes);
    }
    expect(decode(reasonCodec, 'reason')({ code: 'X', subcode: null })).to.deep.equal({ code: 'X' });
  });
});

describe('ApplicationResource', () => {
  const links = {
    self: { href: '/applications/1' },
    events: { href: 'http://sample/applications/1/events' },
  };

  it('requires the links self and events', () => {
    expect(hrefOf(decode(applicationCodec, 'application')({ _links: links }), 'events')).to.equal(
      links.events.href,
    );
    for (const missing of ['self', 'events']) {
      const sent = { _links: { ...links, [missing]: undefined } };
      expect(() => decode(applicationCodec, 'application')(sent)).to.throw(DecodeError, `/_links/${missing}`);
    }
  });

  it('drops members that it does not need', () => {
    const sent = {
      rel: null,
      _links: { ...links, batch: null },
      _embedded: { me: null, people: { etag: 7 } },
    };
    expect(decode(applicationCodec, 'application')(sent)).to.deep.equal({
      _links: links,
      _embedded: { people: {} },
    });
  });
});

describe('PresenceSubscriptionResource', () => {
  it('requires the link self and keeps its id', () => {
    const sent = { id: '97b6bd66', rel: 'presenceSubscription', _links: { self: { href: '/p/97b6bd66' } } };
    expect(decode(presenceSubscriptionCodec, 'presenceSubscription')(sent)).to.deep.equal(sent);
    expect(() => decode(presenceSubscriptionCodec, 'presenceSubscription')({ id: '3' })).to.throw(
      DecodeError,
    );
  });
});
