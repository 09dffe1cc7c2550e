import { expect } from 'chai';
import { corrupted } from './corrupted.ts';

describe('corrupted', () => {
  const broken = (text: string): string | undefined => corrupted(Buffer.from(text))?.toString();

  it('breaks the framing, and keeps the content', () => {
    expect(broken('HTTP/1.1 200 OK\r\na: b\r\n\r\nbody')).to.equal('HTXP/1.1 200 OK\r\na: b\r\n\r\nbody');
    expect(broken('1f4\r\nbody')).to.equal('zf4\r\nbody');
  });

  it('returns undefined for a chunk in the middle of a body', () => {
    for (const text of ['', 'body', '1f4', 'abc\n', '{"a":1}\r\n']) expect(broken(text)).to.equal(undefined);
  });
});
