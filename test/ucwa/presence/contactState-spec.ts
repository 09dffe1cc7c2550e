import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import {
  type ContactRel,
  fieldsIn,
  type ResourceFields,
  presenceStore,
} from '../../../lib/ucwa/presence/contactState.ts';
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

const SARA = 'sip:sara@contoso.com';
const sara = (): ReturnType<typeof presenceStore> => presenceStore(new Map([[SARA, 'sip:Sara@contoso.com']]));
const stateIn = ({ byUri }: ReturnType<typeof presenceStore>): unknown => byUri.get('sip:Sara@contoso.com');

describe('presenceStore', () => {
  it('has a state once the presence is known, and reports changes', () => {
    const states = sara();
    expect(states.set(SARA, 'contactNote', { note: 'Back soon' })).to.equal(false);
    expect(states.byUri.size).to.equal(0);
    expect(states.set(SARA, 'contactPresence', { availability: 'Busy' })).to.equal(true);
    expect(stateIn(states)).to.deep.equal({
      uri: 'sip:Sara@contoso.com',
      availability: 'Busy',
      note: 'Back soon',
    });
    expect(states.set(SARA, 'contactPresence', { availability: 'Busy' })).to.equal(false);
    expect(states.set(SARA, 'contactNote', {})).to.equal(true);
    expect(stateIn(states)).to.deep.equal({ uri: 'sip:Sara@contoso.com', availability: 'Busy' });
  });

  it('compares dates and lists by value', () => {
    const states = sara();
    const tell = (): boolean[] => [
      states.set(SARA, 'contactPresence', { availability: 'Busy', lastActive: new Date(7) }),
      states.set(SARA, 'contactSupportedModalities', { modalities: ['Messaging'] }),
    ];
    expect(tell()).to.deep.equal([true, true]);
    const before = stateIn(states);
    expect(tell()).to.deep.equal([false, false]);
    expect(stateIn(states)).to.equal(before);
  });

  it('keeps the last values with a failure until the next success', () => {
    const states = sara();
    const error = new Error('refused');
    states.set(SARA, 'contactPresence', { availability: 'Busy' });
    expect(states.setError(SARA, 'contactPresence', error)).to.equal(true);
    expect(stateIn(states)).to.deep.equal({
      uri: 'sip:Sara@contoso.com',
      availability: 'Busy',
      failure: { rel: 'contactPresence', error },
    });
    expect(states.set(SARA, 'contactNote', {})).to.equal(false);
    expect(states.set(SARA, 'contactPresence', { availability: 'Busy' })).to.equal(true);
    expect(stateIn(states)).to.deep.equal({ uri: 'sip:Sara@contoso.com', availability: 'Busy' });
  });

  it('has a state after a failure of the presence only', () => {
    for (const [rel, isThere] of [
      ['contactPresence', true],
      ['contact', true],
      ['contactNote', false],
    ] as const) {
      const states = sara();
      expect(states.setError(SARA, rel, 'refused'), rel).to.equal(isThere);
      expect(states.byUri.size, rel).to.equal(isThere ? 1 : 0);
    }
  });

  it('reports the failure of the presence first', () => {
    const states = sara();
    const failing = (): unknown => (stateIn(states) as { failure?: { rel: string } }).failure?.rel;
    states.setError(SARA, 'contactNote', 'refused');
    states.setError(SARA, 'contactPresence', 'refused');
    expect(failing()).to.equal('contactPresence');
    states.set(SARA, 'contactPresence', { availability: 'Busy' });
    expect(failing()).to.equal('contactNote');
    expect(states.clearError(SARA, 'contactNote')).to.equal(true);
    expect(failing()).to.equal(undefined);
    expect(states.clearError(SARA, 'contactNote')).to.equal(false);
  });

  it('does not report a repeated failure', () => {
    const states = sara();
    expect(states.setError(SARA, 'contactPresence', new Error('refused'))).to.equal(true);
    expect(states.setError(SARA, 'contactPresence', new Error('refused'))).to.equal(false);
    expect(states.setError(SARA, 'contactPresence', new TypeError('refused'))).to.equal(true);
    expect(states.setError(SARA, 'contactPresence', 'refused')).to.equal(true);
    expect(states.setError(SARA, 'contactPresence', 'refused')).to.equal(false);
  });

  it('follows a new spelling of the URI', () => {
    const states = sara();
    expect(states.rename(SARA, 'sip:SARA@contoso.com')).to.equal(false);
    states.set(SARA, 'contactPresence', { availability: 'Busy' });
    expect(states.rename(SARA, 'sip:SARA@contoso.com')).to.equal(false);
    expect(states.rename(SARA, SARA)).to.equal(true);
    expect([...states.byUri]).to.deep.equal([[SARA, { uri: SARA, availability: 'Busy' }]]);
  });

  it('forgets contacts that left', () => {
    const states = sara();
    states.set(SARA, 'contactPresence', { availability: 'Busy' });
    expect(states.rename(SARA, undefined)).to.equal(true);
    expect(states.byUri.size).to.equal(0);
    expect(states.rename(SARA, undefined)).to.equal(false);
    expect(states.set(SARA, 'contactPresence', { availability: 'Away' })).to.equal(false);
    expect(states.setError(SARA, 'contactPresence', 'refused')).to.equal(false);
    expect(states.rename(SARA, SARA)).to.equal(false);
    expect(states.byUri.size).to.equal(0);
    expect(states.set(SARA, 'contactPresence', { availability: 'Away' })).to.equal(true);
  });
});
