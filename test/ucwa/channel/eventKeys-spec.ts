import { expect } from 'chai';
import fc from 'fast-check';
import type { OtherEvent, UcwaEvent } from '../../../lib/ucwa/protocol/events.ts';
import {
  contactHrefKey,
  contactUriKey,
  keysOf,
  PRESENCE_SUBSCRIPTIONS,
  UNNAMED_CONTACTS,
} from '../../../lib/ucwa/channel/eventKeys.ts';
import { addressIn, hrefKey } from '../../../lib/ucwa/protocol/href.ts';

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
