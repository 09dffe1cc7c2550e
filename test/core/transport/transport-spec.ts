import { expect } from 'chai';
import { concat, of, Subject, throwError } from 'rxjs';
import { readText } from '../../../lib/core/transport/transport.ts';
import { response } from '../../support/responses.ts';

function read(...args: Parameters<typeof readText>): { texts: string[]; errors: Error[] } {
  const texts: string[] = [];
  const errors: Error[] = [];
  readText(...args).subscribe({
    next: (text) => texts.push(text),
    error: (error: Error) => errors.push(error),
  });
  return { texts, errors };
}

describe('readText', () => {
  const euro = new TextEncoder().encode('10 €!');

  it('emits one text for any number of chunks', () => {
    expect(read(response(200), 'x').texts).to.deep.equal(['']);
    expect(read(response(200, { body: ['hello'] }), 'x').texts).to.deep.equal(['hello']);
    expect(read(response(200, { body: ['a', '', 'b', 'c'] }), 'x').texts).to.deep.equal(['abc']);
  });

  it('puts characters together that were cut at any byte', () => {
    for (let cut = 0; cut <= euro.length; cut += 1) {
      const cutUp = response(200, { body: [euro.slice(0, cut), euro.slice(cut)] });
      expect(read(cutUp, 'x').texts).to.deep.equal(['10 €!']);
    }
  });

  it('drops a byte order mark', () => {
    expect(
      read(response(200, { body: [new Uint8Array([0xef, 0xbb, 0xbf, 0x7b])] }), 'x').texts,
    ).to.deep.equal(['{']);
  });

  it('errors without reading further if the body is too large', () => {
    const source = new Subject<Uint8Array>();
    const errors: Error[] = [];
    readText({ ...response(200), body$: source }, 'event channel response', 7).subscribe({
      error: (error: Error) => errors.push(error),
    });
    source.next(euro.slice(0, 4));
    expect(source.observed).to.equal(true);
    source.next(euro.slice(0, 4));
    expect(source.observed).to.equal(false);
    expect(errors[0]?.message).to.equal(
      'event channel response: expected at most 7 bytes at the root, but there is more',
    );
  });

  it('errors with what the body errors with', () => {
    const broken = {
      ...response(200),
      body$: concat(
        of(euro),
        throwError(() => new Error('broke off')),
      ),
    };
    expect(read(broken, 'x')).to.deep.include({ texts: [] });
    expect(read(broken, 'x').errors[0]?.message).to.equal('broke off');
  });

  it('starts again for each subscriber', () => {
    const text$ = readText(response(200, { body: ['ab'] }), 'x', 3);
    const texts: string[] = [];
    text$.subscribe((text) => texts.push(text));
    text$.subscribe((text) => texts.push(text));
    expect(texts).to.deep.equal(['ab', 'ab']);
  });
});
