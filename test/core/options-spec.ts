import { expect } from 'chai';
import {
  choiceOption,
  invalidOption,
  numberOption,
  objectOption,
  urlOption,
} from '../../lib/core/options.ts';

describe('numberOption', () => {
  it('returns what lies in the range, the ends included', () => {
    expect(numberOption('minutes', 10, { min: 10, max: 30 })).to.equal(10);
    expect(numberOption('minutes', 30, { min: 10, max: 30, integer: true })).to.equal(30);
    expect(numberOption('minutes', 1e9, { min: 10 })).to.equal(1e9);
  });

  for (const value of [9, 31, Number.NaN, Number.POSITIVE_INFINITY, '20', null, undefined, {}, [1]]) {
    it(`names option, value and range for ${JSON.stringify([value])}`, () => {
      expect(() => numberOption('durationMinutes', value, { min: 10, max: 30 })).to.throw(
        TypeError,
        /durationMinutes must be a number from 10 to 30, but it is ./,
      );
    });
  }

  it('refuses fractions for a whole number', () => {
    expect(() => numberOption('count', 1.5, { min: 0, integer: true })).to.throw(
      TypeError,
      /a whole number of at least 0, but it is 1\.5/,
    );
  });
});

describe('choiceOption', () => {
  it('returns a listed value, and lists the choices in the error', () => {
    expect(choiceOption('ack', 'eager', ['eager', 'processed'])).to.equal('eager');
    expect(() => choiceOption('ack', 'late', ['eager', 'processed'])).to.throw(
      TypeError,
      'ack must be one of "eager", "processed", but it is "late"',
    );
  });
});

describe('urlOption', () => {
  it('returns an absolute http or https URL', () => {
    expect(urlOption('url', 'https://mail.contoso.com/EWS/Exchange.asmx').pathname).to.equal(
      '/EWS/Exchange.asmx',
    );
  });

  for (const value of [
    '/EWS/Exchange.asmx',
    'mail.contoso.com',
    'ftp://mail/',
    'javascript:alert(1)',
    7,
    undefined,
  ]) {
    it(`refuses ${String(value)}`, () => {
      expect(() => urlOption('url', value)).to.throw(TypeError, /^url must be an absolute http or https URL/);
    });
  }

  it('does not show the password of a URL that has one', () => {
    expect(() => urlOption('url', 'https://user:hush@mail/')).to.throw(
      TypeError,
      /^(?!.*hush).*without user name/,
    );
  });
});

describe('objectOption', () => {
  it('returns an object, and refuse what callers without types leave out', () => {
    const options = { a: 1 };
    expect(objectOption('options', options)).to.equal(options);
    for (const value of [undefined, null, 'a']) {
      expect(() => objectOption('options', value as unknown as object)).to.throw(
        TypeError,
        /^options must be an object/,
      );
    }
  });
});

describe('invalidOption', () => {
  it('shows a value in a few words', () => {
    const message = (value: unknown): string => invalidOption('x', value, 'y').message;
    expect(message('a'.repeat(100))).to.have.length.below(100);
    expect(message(() => 1)).to.contain('a function');
    expect(message([1, 2])).to.contain('an array of 2');
    expect(message({ password: 'hush' }))
      .to.contain('an object')
      .and.not.contain('hush');
    expect(message(null)).to.contain('null');
  });

  for (const value of ['mail.contoso.com', 'sara@contoso.com', 'sip:sara@contoso.com', 'ftp://mail/']) {
    it(`shows ${value}`, () => {
      expect(invalidOption('x', value, 'y').message).to.equal(`x must be y, but it is "${value}"`);
    });
  }

  for (const value of [
    'https://sara:hush@a.test/',
    'sara:hush@a.test',
    'SIP:sara:hush@a.test',
    'https://a.test/?hush',
    'sip:sara@a.test?hush',
    '/a#hush',
  ]) {
    it(`does not show ${value}`, () => {
      expect(invalidOption('x', value, 'y').message).to.equal(
        `x must be y, but it is a text of ${value.length} characters`,
      );
    });
  }

  it('replaces characters that change a terminal', () => {
    for (const value of ['\u001b[2J\u202e', Symbol('\u001b[2J\u202e')]) {
      expect(invalidOption('x', value, 'y').message).to.match(/\ufffd\[2J\ufffd/);
    }
    expect(invalidOption('x', Symbol('a'.repeat(500)), 'y').message).to.have.length.below(100);
  });
});
