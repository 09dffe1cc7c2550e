import { expect } from 'chai';
import {
  contactUriKey,
  EVERYTHING,
  keysOf,
  PRESENCE_SUBSCRIPTIONS,
  UNNAMED_CONTACTS,
  type KeyedEvent,
} from '../../../lib/ucwa/channel/eventRouter.ts';
import { gapEvent, type UcwaEvent } from '../../../lib/ucwa/protocol/events.ts';
import {
  boundTo,
  classify,
  contactOf,
  type EventFilter,
  type EventRole,
  identified,
  initialFilter,
  routingKeys,
  unbound,
  unidentified,
  watching,
  withoutMembers,
} from '../../../lib/ucwa/subscription/eventFilter.ts';

const SARA = contactUriKey('sip:sara@contoso.com');
const BOB = contactUriKey('sip:bob@contoso.com');
const SELF = '/presencesubscriptions/1';

const keyed = (event: UcwaEvent): KeyedEvent => ({ event, keys: keysOf(event) });
const event = (type: string, rel: string, href: string): KeyedEvent =>
  keyed({ type, link: { rel, href }, sender: { rel: 'people', href: '/people' } });

const named = boundTo(
  watching(initialFilter({ type: 'named' }), new Map([[SARA, 'sip:sara@contoso.com']])),
  SELF,
);
const members = boundTo(initialFilter({ type: 'members' }), SELF);
const matching = boundTo(
  initialFilter({ type: 'matching', matches: ({ link }) => link.rel === 'group' }),
  SELF,
);
const bobOf7 = [{ self: undefined, contact: '/people/7', href: '/people/7', address: 'bob@contoso.com' }];

describe('classify', () => {
  const saraChanged = event('updated', 'contactPresence', '/people/sara@contoso.com/presence');
  const sevenChanged = event('updated', 'contactPresence', '/people/7/presence');
  const cases: readonly (readonly [string, EventFilter, KeyedEvent, EventRole])[] = [
    ['a gap', named, keyed(gapEvent('resync', '/e', '/events')), 'gap'],
    ['the creation of the subscription', named, event('added', 'presenceSubscription', SELF), 'created'],
    ['the announced expiry', named, event('updated', 'presenceSubscription', SELF), 'expiring'],
    ['the removal', named, event('deleted', 'presenceSubscription', SELF), 'deleted'],
    [
      'an unknown event of the subscription',
      named,
      event('constructor', 'presenceSubscription', SELF),
      'own',
    ],
    [
      'another subscription',
      named,
      event('deleted', 'presenceSubscription', '/presencesubscriptions/2'),
      'foreign',
    ],
    [
      'a subscription while none is bound',
      unbound(named),
      event('added', 'presenceSubscription', SELF),
      'foreign',
    ],
    ['a watched contact', named, saraChanged, 'own'],
    ['a contact that is not watched', members, event('updated', 'note', '/me/note'), 'foreign'],
    ['a contact without address', named, sevenChanged, 'unidentified'],
    ['a member that was identified', identified(named, bobOf7), sevenChanged, 'own'],
    [
      'a member that was removed',
      withoutMembers(identified(named, bobOf7), ['/people/7']),
      sevenChanged,
      'foreign',
    ],
    [
      'a contact without address after others were added',
      unidentified(identified(named, [])),
      sevenChanged,
      'unidentified',
    ],
    ['any contact of an unread group', members, saraChanged, 'unidentified'],
    ['a contact of another group', identified(members, bobOf7), saraChanged, 'foreign'],
    ['a match', matching, event('added', 'group', '/groups/7'), 'own'],
    ['no match', matching, saraChanged, 'foreign'],
  ];
  for (const [name, filter, one, role] of cases) {
    it(`returns '${role}' for ${name}`, () => {
      expect(classify(filter, one)).to.equal(role);
    });
  }
});

describe('routingKeys', () => {
  const cases: readonly (readonly [string, EventFilter, readonly string[]])[] = [
    [
      'its contacts and all subscriptions before it is bound',
      unbound(named),
      [SARA, PRESENCE_SUBSCRIPTIONS, UNNAMED_CONTACTS],
    ],
    ['its contacts and its subscription', named, [SARA, SELF, UNNAMED_CONTACTS]],
    ['its members after they were identified', identified(named, bobOf7), [SARA, SELF, '/people/7']],
    ['no members of an earlier subscription', boundTo(identified(named, bobOf7), SELF), [SARA, SELF]],
    ['everything while its members are unknown', members, [SELF, EVERYTHING]],
    ['everything for a predicate', matching, [SELF, EVERYTHING]],
  ];
  for (const [name, filter, keys] of cases) {
    it(`contains ${name}`, () => {
      expect([...routingKeys(filter)]).to.have.members(keys);
    });
  }
});

describe('contactOf', () => {
  const withBob = identified(watching(named, new Map([[BOB, 'sip:bob@contoso.com']])), bobOf7);

  it('returns the key of a watched contact', () => {
    expect(contactOf(named, ['/people/7', SARA])).to.equal(SARA);
  });

  it('returns the key of a member by its href', () => {
    expect(contactOf(withBob, ['/people/7'])).to.equal(BOB);
  });

  it('returns undefined for a contact that is not watched', () => {
    expect(contactOf(withBob, [SARA])).to.equal(undefined);
  });
});
