import { expect } from 'chai';
import type { UcwaEvent } from '../../lib/ucwa/events.ts';
import { contactKey, filedUnder, PRESENCE_SUBSCRIPTIONS, UNNAMED_CONTACTS } from '../../lib/ucwa/filing.ts';

const event = (fields: Partial<UcwaEvent> & Pick<UcwaEvent, 'link'>): UcwaEvent => ({
  type: 'updated',
  sender: { rel: 'people', href: '/people' },
  ...fields,
});

describe('contactKey', () => {
  it('should be one for all spellings of a URI', () => {
    expect(contactKey('SIP:Sara@Contoso.com')).to.equal(contactKey('sip:sara@contoso.com'));
  });
});

describe('filedUnder', () => {
  const sara = contactKey('sip:sara@contoso.com');
  const cases: readonly (readonly [string, UcwaEvent, readonly string[]])[] = [
    [
      'a contact under its address',
      event({
        link: { rel: 'contact', href: 'https://fe1.contoso.com/people/saraD@contoso.com' },
        in: { rel: 'subscribedContacts', href: '/people/subscribedContacts' },
      }),
      [contactKey('sip:sarad@contoso.com')],
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
    it(`should file ${name}`, () => {
      expect(filedUnder(filed)).to.deep.equal(keys);
    });
  }
});
