import { expect } from 'chai';
import { inspectedError, plain } from '../../lib/inspector/plain.ts';

describe('plain', () => {
  const cases: readonly (readonly [what: string, value: unknown, copy: unknown])[] = [
    ['a number', 1, 1],
    ['null', null, null],
    ['undefined as null', undefined, null],
    ['a function as null', () => 1, null],
    ['a date as its ISO text', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid date as null', new Date(Number.NaN), null],
    ['a Map as an object', new Map([['sara', { availability: 'Busy' }]]), { sara: { availability: 'Busy' } }],
    [
      'an error with its name and message',
      new RangeError('too far'),
      { name: 'RangeError', message: 'too far' },
    ],
    ['no query of a URL', ['https://contoso.com/?token=secret'], ['https://contoso.com/?…']],
  ];
  for (const [what, value, copy] of cases) {
    it(`copies ${what}`, () => {
      expect(plain(value)).to.deep.equal(copy);
    });
  }

  it('cuts long lists, long texts and deep values', () => {
    expect(plain(Array.from({ length: 1000 }, () => 1))).to.have.length(100);
    expect(plain('x'.repeat(1000))).to.have.length(301);
    let deep: unknown = 'bottom';
    for (let level = 0; level < 20; level += 1) deep = [deep];
    expect(JSON.stringify(plain(deep)))
      .to.contain('…')
      .and.not.contain('bottom');
  });
});

describe('inspectedError', () => {
  it('describes what is thrown without being an error', () => {
    expect(inspectedError('text')).to.deep.equal({ name: 'string', message: '' });
  });
});
