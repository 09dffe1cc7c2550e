import { expect } from 'chai';
import { inspect } from 'node:util';
import { anonymousMeeting, password, windows } from '../../../lib/ucwa/auth/signIn.ts';
import type { SignIn } from '../../../lib/ucwa/auth/signer.ts';

const CONFERENCE = 'sip:john@contoso.com;gruu;opaque=app:conf:focus:id:G03W98W4';

const formOf = (signIn: SignIn, renewed?: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(signIn.form(renewed)));

describe('a way to sign in', () => {
  it('requests a password grant with the user name and the password', () => {
    const signIn = password({ username: String.raw`CONTOSO\sara`, password: 'p&=+ ä%' });
    expect(formOf(signIn)).to.deep.equal({
      grant_type: 'password',
      username: String.raw`CONTOSO\sara`,
      password: 'p&=+ ä%',
    });
    expect(signIn.credentials).to.equal(undefined);
  });

  it('requests a windows grant with only the browser credentials', () => {
    expect(formOf(windows())).to.deep.equal({ grant_type: 'urn:microsoft.rtc:windows' });
    expect(windows().credentials).to.equal('include');
  });

  it('requests an anonymous meeting with the URI and its id as key', () => {
    expect(formOf(anonymousMeeting({ conferenceUri: CONFERENCE }))).to.deep.equal({
      grant_type: 'urn:microsoft.rtc:anonmeeting',
      password: 'G03W98W4',
      ms_rtc_conferenceuri: CONFERENCE,
    });
  });

  it('requests an anonymous meeting with another key and the token to renew', () => {
    const signIn = anonymousMeeting({ conferenceUri: CONFERENCE, conferenceKey: 'other' });
    expect(formOf(signIn, 'cwt=AA')).to.deep.equal({
      grant_type: 'urn:microsoft.rtc:anonmeeting',
      password: 'other',
      ms_rtc_conferenceuri: CONFERENCE,
      ms_rtc_renew: 'cwt=AA',
    });
    expect(signIn.renews).to.equal(true);
  });

  it('omits the old token if the endpoint cannot renew', () => {
    expect(formOf(password({ username: 'a', password: 'b' }), 'cwt=AA')).not.to.have.property('ms_rtc_renew');
    expect(formOf(windows(), 'cwt=AA')).not.to.have.property('ms_rtc_renew');
  });

  describe('keeps its secrets', () => {
    const ways: readonly [string, SignIn][] = [
      ['password', password({ username: 'who-hush', password: 'hush' })],
      ['anonymousMeeting', anonymousMeeting({ conferenceUri: `${CONFERENCE}hush`, conferenceKey: 'hush' })],
    ];
    for (const [name, signIn] of ways) {
      for (const [how, shown] of [
        ['in its text', (String as (value: unknown) => string)(signIn)],
        ['in its JSON', JSON.stringify({ signIn })],
        ['inspected', inspect(signIn, { depth: null, showHidden: true, getters: true })],
        ['inspected within others', inspect({ options: { signIn } }, { depth: null })],
        ['in the text of its functions', signIn.form.toString()],
        [
          'in what a copy holds',
          Object.values({ ...signIn })
            .map(String)
            .join(),
        ],
      ] as const) {
        it(`${how}: ${name}`, () => {
          expect(shown).not.to.include('hush');
        });
      }

      it(`and is immutable: ${name}`, () => {
        expect(Object.isFrozen(signIn)).to.equal(true);
      });
    }
  });

  describe('refuses, without showing it,', () => {
    const bad = (value: unknown): string => value as string;
    for (const [name, make, option] of [
      ['an empty user name', () => password({ username: '', password: 'hush' }), 'username'],
      ['an empty password', () => password({ username: 'hush', password: '' }), 'password'],
      ['a missing password', () => password({ username: 'hush', password: bad(undefined) }), 'password'],
      [
        'a password that is no text',
        () => password({ username: 'hush', password: bad(['hush']) }),
        'password',
      ],
      [
        'a conference that is no SIP URI',
        () => anonymousMeeting({ conferenceUri: 'https://meet.contoso.com/hush' }),
        'conferenceUri',
      ],
      [
        'a conference that is only a user',
        () => anonymousMeeting({ conferenceUri: 'sip:hush@contoso.com' }),
        'conferenceUri',
      ],
      ['a missing conference', () => anonymousMeeting({ conferenceUri: bad(undefined) }), 'conferenceUri'],
      [
        'a conference without an id',
        () => anonymousMeeting({ conferenceUri: 'sip:hush@contoso.com;opaque=app:conf:focus:id:' }),
        'conferenceKey',
      ],
      [
        'an empty key',
        () => anonymousMeeting({ conferenceUri: CONFERENCE, conferenceKey: '' }),
        'conferenceKey',
      ],
    ] as const) {
      it(name, () => {
        expect(make).to.throw(TypeError, new RegExp(`^(?!.*hush)${option} must be `));
      });
    }
  });
});
