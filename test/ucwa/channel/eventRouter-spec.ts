import { expect } from 'chai';
import {
  type EventListener,
  eventRouter,
  contactHrefKey,
  contactUriKey,
  keysOf,
  PRESENCE_SUBSCRIPTIONS,
  UNNAMED_CONTACTS,
} from '../../../lib/ucwa/channel/eventRouter.ts';
import { gapEvent, type UcwaEvent, type OtherEvent } from '../../../lib/ucwa/protocol/events.ts';
import fc from 'fast-check';
import { addressIn, hrefKey } from '../../../lib/ucwa/protocol/href.ts';

const updated = (href: string): UcwaEvent => ({
  type: 'updated',
  link: { rel: 'thing', href },
  sender: { rel: 'people', href: '/people' },
});
const batch = (
  ...events: readonly UcwaEvent[]
): { readonly next: string; readonly events: readonly UcwaEvent[] } => ({
  next: '/events?ack=2',
  events,
});
const keys = (...all: readonly string[]): ReadonlySet<string> => new Set(all);

describe('eventRouter', () => {
  it('delivers an event to the listeners of its key only', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const listener =
      (name: string): EventListener =>
      ({ event }) =>
        delivered.push(`${name} ${event.link.href}`);
    router.route(listener('one'), keys('/a', '/b'));
    router.route(listener('two'), keys('/b'));
    router.route(listener('nobody'), keys());
    router.publish(batch(updated('/a'), updated('https://pool.contoso.com/B'), updated('/c')));
    const b = 'https://pool.contoso.com/B';
    expect(delivered).to.deep.equal(['one /a', `one ${b}`, `two ${b}`]);
  });

  it('delivers an event once to a listener of several of its keys', () => {
    const router = eventRouter();
    let delivered = 0;
    router.route(() => (delivered += 1), keys('/people/sara@contoso.com', 'sip:sara@contoso.com'));
    router.publish(
      batch({
        ...updated('/people/sara@contoso.com'),
        link: { rel: 'contact', href: '/people/sara@contoso.com' },
      }),
    );
    expect(delivered).to.equal(1);
  });

  it('delivers a gap to every listener', () => {
    const router = eventRouter();
    let delivered = 0;
    router.route(() => (delivered += 1), keys('/a'));
    router.route(() => (delivered += 1), keys());
    router.publish(batch(gapEvent('resync', '/events?ack=9', '/events')));
    expect(delivered).to.equal(2);
  });

  it('delivers nothing under a key that was replaced', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const listener: EventListener = ({ event }) => delivered.push(event.link.href);
    router.route(listener, keys('/a', '/b'));
    router.route(listener, keys('/b', '/c'));
    router.publish(batch(updated('/a'), updated('/b'), updated('/c')));
    expect(delivered).to.deep.equal(['/b', '/c']);
  });

  it('delivers nothing to a listener that has left', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const listener: EventListener = ({ event }) => delivered.push(event.link.href);
    router.route(listener, keys('/a', '/b'));
    router.unregister(listener);
    router.unregister(listener);
    router.publish(batch(updated('/a'), updated('/b'), gapEvent('resync', '/events', '/events')));
    expect(delivered).to.deep.equal([]);
  });

  it('skips a listener that another one unregisters during delivery', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const second: EventListener = () => delivered.push('second');
    const first: EventListener = () => {
      delivered.push('first');
      router.unregister(second);
    };
    router.route(first, keys('/a'));
    router.route(second, keys('/a'));
    router.publish(batch(updated('/a')));
    expect(delivered).to.deep.equal(['first']);
  });

  it('starts a listener that registers during delivery with the next event', () => {
    const router = eventRouter();
    const delivered: string[] = [];
    const late: EventListener = ({ event }) => delivered.push(`late ${event.link.href}`);
    const early: EventListener = () => router.route(late, keys('/a', '/b'));
    router.route(early, keys('/a'));
    router.route(() => undefined, keys('/a'));
    router.publish(batch(updated('/a'), updated('/b')));
    expect(delivered).to.deep.equal(['late /b']);
  });

  it('reports whether the channel is open', () => {
    const router = eventRouter();
    let closed = 0;
    router.closed$.subscribe(() => (closed += 1));
    expect(router.isOpen).to.equal(false);
    router.open();
    expect(router.isOpen).to.equal(true);
    router.close();
    expect([router.isOpen, closed]).to.deep.equal([false, 1]);
  });
});

const event = (fields: Partial<OtherEvent> & Pick<OtherEvent, 'link'>): UcwaEvent => ({
  type: 'updated',
  sender: { rel: 'people', href: '/people' },
  ...fields,
});

describe('contactUriKey', () => {
  it('is the same for all spellings of a URI', () => {
    expect(contactUriKey('SIP:Sara@Contoso.com')).to.equal(contactUriKey('sip:sara@contoso.com'));
  });
});

describe('contactHrefKey', () => {
  it('reads plain hrefs as a URL parser does', () => {
    const piece = fc.constantFrom(
      ...['/', '/', '//', '..', '/.', 'a', 'B', '-', '@', ':', '?', '&', '&amp;', '%2F', '%40', '%5C'],
      ...['\\', '#', ' ', '\t', '\n', 'ö', '[', ';', 'https://', 'http:/', 'HTTPS://', 'sip:', 'pool:443'],
    );
    const made = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const start = fc.constantFrom('', '/', '/people', 'https://pool', 'https:/');
    const end = fc.constantFrom('/sara@contoso.com', '/S~a.r-a_1@x', '/@x', '/a@', '/a@b@c', '');
    fc.assert(
      fc.property(start, made, end, (...pieces) => {
        const href = pieces.join('');
        const key = hrefKey(href);
        const address = addressIn(key);
        expect(contactHrefKey(href)).to.equal(address === undefined ? key : contactUriKey(address));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('keysOf', () => {
  const sara = contactUriKey('sip:sara@contoso.com');
  const cases: readonly (readonly [string, UcwaEvent, readonly string[]])[] = [
    [
      'a contact under its address',
      event({
        link: { rel: 'contact', href: 'https://fe1.contoso.com/people/saraD@contoso.com' },
        in: { rel: 'subscribedContacts', href: '/people/subscribedContacts' },
      }),
      [contactUriKey('sip:sarad@contoso.com')],
    ],
    [
      'the presence of a contact under the address of the contact',
      event({
        link: { rel: 'contactPresence', href: '/people/sara@contoso.com/presence' },
        in: { rel: 'contact', href: '/people/sara@contoso.com' },
      }),
      [sara],
    ],
    [
      'the note of a contact that is not named by `in` under the address of the contact',
      event({ link: { rel: 'contactNote', href: '/people/sara@contoso.com/note' } }),
      [sara],
    ],
    [
      'a contact whose href says nothing under what came along with it',
      event({ link: { rel: 'contact', href: '/people/282' }, resource: { uri: 'sip:Sara@contoso.com' } }),
      ['/people/282', sara],
    ],
    [
      'the presence of a contact whose href says nothing under those without an address',
      event({
        link: { rel: 'contactPresence', href: '/people/282/contactPresence' },
        in: { rel: 'contact', href: '/people/282' },
      }),
      ['/people/282', UNNAMED_CONTACTS],
    ],
    [
      'a presence subscription under itself and its kind',
      event({ link: { rel: 'presenceSubscription', href: '/presenceSubscriptions/97B6' } }),
      ['/presencesubscriptions/97b6', PRESENCE_SUBSCRIPTIONS],
    ],
    [
      'a participant, who is no contact, under itself alone',
      event({ link: { rel: 'participant', href: '/conversations/1/participants/sara@contoso.com' } }),
      ['/conversations/1/participants/sara@contoso.com'],
    ],
  ];
  for (const [name, filed, keys] of cases) {
    it(`returns the keys of ${name}`, () => {
      expect(keysOf(filed)).to.deep.equal(keys);
    });
  }
});
