import { expect } from 'chai';
import { contactStates } from '../../lib/ucwa/contactStates.ts';

const SARA = 'sip:sara@contoso.com';
const sara = (): ReturnType<typeof contactStates> => contactStates(new Map([[SARA, 'sip:Sara@contoso.com']]));
const stateIn = ({ byUri }: ReturnType<typeof contactStates>): unknown => byUri.get('sip:Sara@contoso.com');

describe('contactStates', () => {
  it('should have a state once the presence is known, and say whether it is another', () => {
    const states = sara();
    expect(states.know(SARA, 'contactNote', { note: 'Back soon' })).to.equal(false);
    expect(states.byUri.size).to.equal(0);
    expect(states.know(SARA, 'contactPresence', { availability: 'Busy' })).to.equal(true);
    expect(stateIn(states)).to.deep.equal({
      uri: 'sip:Sara@contoso.com',
      availability: 'Busy',
      note: 'Back soon',
    });
    expect(states.know(SARA, 'contactPresence', { availability: 'Busy' })).to.equal(false);
    expect(states.know(SARA, 'contactNote', {})).to.equal(true);
    expect(stateIn(states)).to.deep.equal({ uri: 'sip:Sara@contoso.com', availability: 'Busy' });
  });

  it('should take two dates of the same time, and two lists of the same words, for the same', () => {
    const states = sara();
    const tell = (): boolean[] => [
      states.know(SARA, 'contactPresence', { availability: 'Busy', lastActive: new Date(7) }),
      states.know(SARA, 'contactSupportedModalities', { modalities: ['Messaging'] }),
    ];
    expect(tell()).to.deep.equal([true, true]);
    const before = stateIn(states);
    expect(tell()).to.deep.equal([false, false]);
    expect(stateIn(states)).to.equal(before);
  });

  it('should tell a failure beside what was known last, until the same is got again', () => {
    const states = sara();
    const error = new Error('refused');
    states.know(SARA, 'contactPresence', { availability: 'Busy' });
    expect(states.fail(SARA, 'contactPresence', error)).to.equal(true);
    expect(stateIn(states)).to.deep.equal({
      uri: 'sip:Sara@contoso.com',
      availability: 'Busy',
      failure: { rel: 'contactPresence', error },
    });
    expect(states.know(SARA, 'contactNote', {})).to.equal(false);
    expect(states.know(SARA, 'contactPresence', { availability: 'Busy' })).to.equal(true);
    expect(stateIn(states)).to.deep.equal({ uri: 'sip:Sara@contoso.com', availability: 'Busy' });
  });

  it('should have a state where the presence could not be got, and none where only something else could not', () => {
    for (const [rel, isThere] of [
      ['contactPresence', true],
      ['contact', true],
      ['contactNote', false],
    ] as const) {
      const states = sara();
      expect(states.fail(SARA, rel, 'refused'), rel).to.equal(isThere);
      expect(states.byUri.size, rel).to.equal(isThere ? 1 : 0);
    }
  });

  it('should tell the failure of the presence before others, and then those', () => {
    const states = sara();
    const failing = (): unknown => (stateIn(states) as { failure?: { rel: string } }).failure?.rel;
    states.fail(SARA, 'contactNote', 'refused');
    states.fail(SARA, 'contactPresence', 'refused');
    expect(failing()).to.equal('contactPresence');
    states.know(SARA, 'contactPresence', { availability: 'Busy' });
    expect(failing()).to.equal('contactNote');
    expect(states.recover(SARA, 'contactNote')).to.equal(true);
    expect(failing()).to.equal(undefined);
    expect(states.recover(SARA, 'contactNote')).to.equal(false);
  });

  it('should not tell again what goes on failing in the same way', () => {
    const states = sara();
    expect(states.fail(SARA, 'contactPresence', new Error('refused'))).to.equal(true);
    expect(states.fail(SARA, 'contactPresence', new Error('refused'))).to.equal(false);
    expect(states.fail(SARA, 'contactPresence', new TypeError('refused'))).to.equal(true);
    expect(states.fail(SARA, 'contactPresence', 'refused')).to.equal(true);
    expect(states.fail(SARA, 'contactPresence', 'refused')).to.equal(false);
  });

  it('should follow another spelling of the URI', () => {
    const states = sara();
    expect(states.respell(SARA, 'sip:SARA@contoso.com')).to.equal(false);
    states.know(SARA, 'contactPresence', { availability: 'Busy' });
    expect(states.respell(SARA, 'sip:SARA@contoso.com')).to.equal(false);
    expect(states.respell(SARA, SARA)).to.equal(true);
    expect([...states.byUri]).to.deep.equal([[SARA, { uri: SARA, availability: 'Busy' }]]);
  });

  it('should know nothing of those whom nobody wants, nor of those who come back', () => {
    const states = sara();
    states.know(SARA, 'contactPresence', { availability: 'Busy' });
    expect(states.respell(SARA, undefined)).to.equal(true);
    expect(states.byUri.size).to.equal(0);
    expect(states.respell(SARA, undefined)).to.equal(false);
    expect(states.know(SARA, 'contactPresence', { availability: 'Away' })).to.equal(false);
    expect(states.fail(SARA, 'contactPresence', 'refused')).to.equal(false);
    expect(states.respell(SARA, SARA)).to.equal(false);
    expect(states.byUri.size).to.equal(0);
    expect(states.know(SARA, 'contactPresence', { availability: 'Away' })).to.equal(true);
  });
});
