import { expect } from 'chai';
import { type PushOptions, resolvePushOptions } from '../../../lib/ews/push/options.ts';

const good: PushOptions = {
  folders: ['inbox'],
  events: ['newMail'],
  callbackUrl: 'https://me.example/notified',
};

describe('The options of a push', () => {
  it('have defaults', () => {
    expect(resolvePushOptions(good)).to.deep.equal({
      request: {
        type: 'push',
        folders: ['inbox'],
        events: ['newMail'],
        watermark: undefined,
        statusFrequencyMinutes: 5,
        callbackUrl: 'https://me.example/notified',
      },
      hasSecret: true,
      silenceMs: 630_000,
      onLost: 'resume',
      graceMs: undefined,
      checkpoint: undefined,
    });
  });

  it('are used as given', () => {
    const plan = resolvePushOptions({
      allFolders: true,
      events: ['created', 'freeBusyChanged'],
      callbackUrl: 'http://localhost:8080/a?b=c',
      callbackSecret: false,
      statusFrequencyMinutes: 1440,
      watermark: 'W1',
      onLost: 'recreate',
      graceSeconds: 2.5,
    });
    expect(plan.request).to.deep.include({
      folders: undefined,
      watermark: 'W1',
      callbackUrl: 'http://localhost:8080/a?b=c',
    });
    expect(plan).to.include({ hasSecret: false, silenceMs: 172_830_000, onLost: 'recreate', graceMs: 2500 });
  });

  const bad: readonly [name: string, options: Record<string, unknown>, message: string][] = [
    ['no callback URL', { callbackUrl: undefined }, 'callbackUrl must be an absolute http or https URL'],
    ['a callback URL without a host', { callbackUrl: '/notified' }, 'callbackUrl must be an absolute'],
    ['a password in the callback URL', { callbackUrl: 'https://a:b@c.example/' }, 'callbackUrl must be'],
    [
      'no minute',
      { statusFrequencyMinutes: 0 },
      'statusFrequencyMinutes must be a whole number from 1 to 1440',
    ],
    ['more than a day', { statusFrequencyMinutes: 1441 }, 'statusFrequencyMinutes must be a whole number'],
    ['half a minute', { statusFrequencyMinutes: 1.5 }, 'statusFrequencyMinutes must be a whole number'],
    ['no folders', { folders: undefined }, 'folders must be a list of at least one folder'],
    ['no events', { events: [] }, 'events must be a list of at least one of'],
    [
      'a callback URL with the parameter of the secret',
      { callbackUrl: 'https://c.example/?pushKey=a' },
      'callbackUrl must be a URL without the parameter pushKey',
    ],
    ['a secret of the caller', { callbackSecret: 'abc' }, 'callbackSecret must be true or false'],
    ['no decision on the secret', { callbackSecret: null }, 'callbackSecret must be true or false'],
    ['an empty watermark', { watermark: '' }, 'watermark must be a text'],
    ['a negative grace', { graceSeconds: -1 }, 'graceSeconds must be a number from 0 to 86400'],
  ];
  for (const [name, options, message] of bad) {
    it(`throw for ${name}, and name the option`, () => {
      const all: PushOptions = { ...good, ...options };
      expect(() => resolvePushOptions(all)).to.throw(TypeError, message);
    });
  }

  it('takes the parameter of the secret if it adds none', () => {
    const callbackUrl = 'https://c.example/?pushKey=a';
    expect(resolvePushOptions({ ...good, callbackUrl, callbackSecret: false }).request).to.include({
      callbackUrl,
    });
  });

  it('never show the password of a callback URL', () => {
    expect(() => resolvePushOptions({ ...good, callbackUrl: 'https://a:s3cr3t@c.example/' })).to.throw(
      TypeError,
      /^(?!.*s3cr3t)/,
    );
  });
});
