import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import { type ContactRel, fieldsIn, type ResourceFields } from '../../../lib/ucwa/presence/contactState.ts';
import type { Resource } from '../../../lib/ucwa/protocol/resource.ts';

const rows: readonly [what: string, rel: ContactRel, resource: Resource, fields: ResourceFields][] = [
  [
    'presence as on its own page',
    'contactPresence',
    {
      rel: 'contactPresence',
      activity: 'in-a-conference',
      availability: 'DoNotDisturb',
      deviceType: 'PC',
      lastActive: '/Date(1474932023993)/',
    },
    {
      activity: 'in-a-conference',
      availability: 'DoNotDisturb',
      deviceType: 'PC',
      lastActive: new Date(1_474_932_023_993),
    },
  ],
  [
    'a date with an offset, which does not change it',
    'contactPresence',
    { availability: 'Away', lastActive: '/Date(1358827096000+0100)/' },
    { availability: 'Away', lastActive: new Date(1_358_827_096_000) },
  ],
  [
    'a date before 1970',
    'contactPresence',
    { availability: 'Away', lastActive: '/Date(-1)/' },
    { availability: 'Away', lastActive: new Date(-1) },
  ],
  [
    'a date as in XML',
    'contactPresence',
    { availability: 'IdleOnline', lastActive: '2016-09-26T16:20:23.994-07:00' },
    { availability: 'IdleOnline', lastActive: new Date('2016-09-26T23:20:23.994Z') },
  ],
  [
    'a word that is not documented',
    'contactPresence',
    { availability: 'Juggling' },
    { availability: 'Juggling' },
  ],
  [
    'presence without what is of another type, or no date',
    'contactPresence',
    { availability: 'Busy', activity: 7, deviceType: null, lastActive: 'yesterday' },
    { availability: 'Busy' },
  ],
  [
    'presence without a date that is out of all range',
    'contactPresence',
    { availability: 'Busy', lastActive: '/Date(99999999999999999999)/' },
    { availability: 'Busy' },
  ],
  [
    'a note and its type',
    'contactNote',
    { message: 'Heads down today', type: 'Personal' },
    { note: 'Heads down today', noteType: 'Personal' },
  ],
  ['a note without a type', 'contactNote', { message: 'Back soon' }, { note: 'Back soon' }],
  ['no note, whatever its type', 'contactNote', { message: '', type: 'Personal' }, {}],
  ['a location', 'contactLocation', { location: 'By the beach...' }, { location: 'By the beach...' }],
  ['no location', 'contactLocation', {}, {}],
  [
    'modalities',
    'contactSupportedModalities',
    { modalities: ['DataCollaboration', 7] },
    { modalities: ['DataCollaboration'] },
  ],
  ['no modalities', 'contactSupportedModalities', { modalities: [] }, {}],
  ['modalities that are no list', 'contactSupportedModalities', { modalities: 'Messaging' }, {}],
];

describe('fieldsIn', () => {
  for (const [what, rel, resource, fields] of rows) {
    it(`reads ${what}`, () => {
      expect(fieldsIn(rel, resource)).to.deep.equal(fields);
    });
  }

  it('throws a DecodeError for a presence without availability', () => {
    expect(() => fieldsIn('contactPresence', { activity: 'presenting' })).to.throw(
      DecodeError,
      /availability/,
    );
  });
});
