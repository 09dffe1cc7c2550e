import { expect } from 'chai';
import { checkLimits, DEFAULT_LIMITS, type Limits } from '../../lib/core/limits.ts';

describe('checkLimits', () => {
  it('fills in the defaults', () => {
    expect(checkLimits()).to.deep.equal(DEFAULT_LIMITS);
    const given = { redirects: 0, parts: undefined } as unknown as Limits;
    expect(checkLimits(given)).to.deep.equal({ ...DEFAULT_LIMITS, redirects: 0 });
  });

  const refused: readonly [name: string, value: unknown][] = [
    ['responseBytes', 0],
    ['messageCharacters', 1.5],
    ['depth', 15],
    ['headersSeconds', 0],
    ['silenceSeconds', Infinity],
    ['responseSeconds', Number.NaN],
    ['redirects', -1],
    ['parts', '10'],
    ['drainBytes', -1],
    ['drainSeconds', 61],
  ];
  for (const [name, value] of refused) {
    it(`refuses ${name} ${String(value)}`, () => {
      expect(() => checkLimits({ [name]: value })).to.throw(TypeError, `limits.${name} must be a`);
    });
  }

  for (const name of ['bytes', 'toString', '__proto__x']) {
    it(`lists the known limits after the unknown ${name}`, () => {
      expect(() => checkLimits({ [name]: 1 })).to.throw(
        TypeError,
        `unknown name "${name}" in limits: known are responseBytes`,
      );
    });
  }

  it('shows neither controls nor secrets in the name of a limit', () => {
    expect(() => checkLimits({ '\u001b[2J\u202e': 1 } as object)).to.throw(
      TypeError,
      /^unknown name "\ufffd\[2J\ufffd" in limits:/,
    );
    expect(() => checkLimits({ 'https://a.test/?key=hush': 1 } as object)).to.throw(TypeError, /^(?!.*hush)/);
  });

  it('refuses limits that are no object', () => {
    expect(() => checkLimits(7 as unknown as Limits)).to.throw(TypeError, 'limits must be an object');
  });
});
