import { expect } from 'chai';
import { readHeaderLines } from '../../../lib/ucwa/protocol/multipart.ts';

describe('readHeaderLines', () => {
  const cases: readonly [name: string, text: string, expected: Record<string, string>][] = [
    ['nothing', '', {}],
    ['names in any case', 'Retry-After: 3\r\nETAG: x', { 'retry-after': '3', etag: 'x' }],
    ['line ends of either kind, and empty lines', 'a: 1\nb: 2\r\n\r\n', { a: '1', b: '2' }],
    ['blanks around the colon', 'Content-Type : application/json', { 'content-type': 'application/json' }],
    ['colons in a value', 'Location: https://a.example:443/', { location: 'https://a.example:443/' }],
    ['several of one name', 'A: 1\r\nB: 2\r\na: 3', { a: '1, 3', b: '2' }],
    ['an empty value', 'Data:', { data: '' }],
    ['lines that are no headers', 'nonsense\r\n: no name\r\na: 1', { a: '1' }],
    ['names that objects have', 'constructor: 1', { constructor: '1' }],
  ];
  for (const [name, text, expected] of cases) {
    it(`reads ${name}`, () => expect(readHeaderLines(text)).to.deep.equal(expected));
  }
});
