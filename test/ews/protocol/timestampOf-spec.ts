import { expect } from 'chai';
import fc from 'fast-check';
import { timestampOf } from '../../../lib/ews/protocol/eventSchema.ts';

describe('timestampOf', () => {
  it('returns the time in the text', () => {
    expect(timestampOf('2026-11-22T08:15:30Z').toISOString()).to.equal('2026-11-22T08:15:30.000Z');
    expect(timestampOf('2026-11-22T08:59:59Z').toISOString()).to.equal('2026-11-22T08:59:59.000Z');
    expect(timestampOf('2026-11-22T09:00:00Z').toISOString()).to.equal('2026-11-22T09:00:00.000Z');
  });

  for (const text of [
    '',
    'yesterday',
    '2026-11-22T08:60:00Z',
    '2026-11-22T08:00:61Z',
    '2026-11-22T08:0x:00Z',
    '2026-11-22T24:00:01Z',
    '2026-13-22T08:00:00Z',
    '2026-11-22T08:00-00Z',
  ]) {
    it(`returns no time for ${JSON.stringify(text)}, whatever was read before`, () => {
      timestampOf('2026-11-22T08:00:00Z');
      timestampOf(text);
      expect(timestampOf(text).getTime()).to.be.NaN;
    });
  }

  it('returns the same time as Date, for every format', () => {
    const written = fc.oneof(
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).chain((date) => {
        const text = date.toISOString();
        const seconds = `${text.slice(0, 19)}Z`;
        return fc.constantFrom(text, seconds, seconds.replace('Z', '+02:00'), seconds.slice(0, -1));
      }),
      fc.stringMatching(/^2026-\d\d-\d\dT[012]\d:\d\d:\d\dZ$/),
      fc.stringMatching(/^\d \w{3} 2026 \d\d:\d\d:\d\dZ$/),
    );
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), (texts) => {
        expect(texts.map((text) => timestampOf(text).getTime())).to.deep.equal(
          texts.map((text) => new Date(text).getTime()),
        );
      }),
      { numRuns: 500 },
    );
  });
});
