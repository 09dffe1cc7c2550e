import { expect } from 'chai';
import { DecodeError } from '../../lib/core/errors.ts';
import { hasTooManyValues, MOST_VALUES, parseJson } from '../../lib/core/json.ts';
import { eventsResponse } from '../bench/ucwaEvents.ts';

describe('parseJson', () => {
  it('returns the value', () => {
    expect(parseJson('{"a":[1,"b",null]}', 'thing')).to.deep.equal({ a: [1, 'b', null] });
  });

  for (const text of ['{"__proto__":{"b":1},"a":1}', '{"\\u005f_proto__":{"b":1},"a":1}']) {
    it(`drops members named __proto__: ${text}`, () => {
      const value = parseJson(text, 'thing');
      expect(value).to.deep.equal({ a: 1 });
      expect(Object.getOwnPropertyNames(value)).to.deep.equal(['a']);
      expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
    });
  }

  for (const text of ['', '{"a":', 'token=s3cret']) {
    it(`throws a DecodeError that does not quote ${JSON.stringify(text)}`, () => {
      expect(() => parseJson(text, 'thing')).to.throw(
        DecodeError,
        /^thing: expected JSON at the root, but there is malformed or incomplete JSON$/,
      );
    });
  }

  const most = `[${'1,'.repeat(MOST_VALUES - 1)}1]`;

  it('returns a list of the most values', () => {
    expect(parseJson(most, 'thing')).to.have.length(MOST_VALUES);
  });

  const units = ['1,', '{},', '[],', '"a":1,', '[', '{"a":', '__proto__,'];
  for (const unit of units) {
    it(`throws a DecodeError for too many of ${unit} before it parses them`, () => {
      expect(() => parseJson(unit.repeat(MOST_VALUES + 1), 'thing')).to.throw(
        DecodeError,
        `thing: expected at most ${MOST_VALUES} values at the root, but there is more`,
      );
    });
  }
});

describe('hasTooManyValues', () => {
  it('is false for the presence of 20,000 contacts in one response', () => {
    expect(hasTooManyValues(eventsResponse(20_000, 20_000))).to.equal(false);
  });

  it('is false for a long text in one value', () => {
    expect(hasTooManyValues(`"${'a'.repeat(4 * MOST_VALUES)}"`)).to.equal(false);
  });
});
