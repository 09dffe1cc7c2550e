import { expect } from 'chai';
import { asyncScheduler, concat, from, interval, map, NEVER, type Observable, tap, throwError } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import { type ResponseOptions, parseResponse } from '../../../lib/ews/protocol/responseParser.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { answer, eventsAnswer, itemEvent, plainFault } from '../answers.ts';

const encoder = new TextEncoder();
const success = answer('Unsubscribe', '<m:ResponseCode>NoError</m:ResponseCode>');
const bytes = (...texts: readonly string[]): Observable<Uint8Array> =>
  from(texts.map((text) => encoder.encode(text)));
const broken = throwError(
  () => new NetworkError('the answer broke off', { method: 'POST', url: 'https://a.b/' }),
);
const trickle = interval(100).pipe(map(() => Uint8Array.of(32)));

/** The emitted values with their milliseconds, and how the body ended. */
function seen(body$: Observable<Uint8Array>, options?: ResponseOptions): string[] {
  const log: string[] = [];
  const at = (what: string): number => log.push(`${what} at ${asyncScheduler.now()}`);
  const watched = body$.pipe(
    tap({ unsubscribe: () => at('let go'), complete: () => at('read to its end') }),
    parseResponse(options),
  );
  inVirtualTime(() => {
    watched.subscribe({
      next: (messages) => at(messages.map(({ type }) => type).join() || 'no message'),
      error: (error: unknown) => at(error instanceof Error ? error.name : 'another'),
    });
  });
  return log;
}

describe('parseResponse', () => {
  const ignored: readonly [name: string, after: string][] = [
    ['nothing', ''],
    ['white space', ' \r\n'],
    ['a comment', '<!-- served by 12 -->'],
    ['a processing instruction', '<?stamp 12?>'],
    ['the beginning of a comment', '<!-- ser'],
    ['text', 'Bad Gateway'],
    ['a document type', '<!DOCTYPE html>'],
    ['another envelope', success],
    ['a fault', plainFault('s:Server', 'late')],
    ['half of an envelope', success.slice(0, 200)],
  ];
  for (const [name, after] of ignored) {
    it(`emits the first envelope before ${name}, wherever the body is cut`, () => {
      const expected = ['read to its end at 0', 'response at 0'];
      const whole = success + after;
      for (const cut of [whole.length, success.length, success.length - 1, success.length + 1, 40]) {
        expect(seen(bytes(whole.slice(0, cut), whole.slice(cut))), `cut at ${cut}`).to.deep.equal(expected);
      }
    });
  }

  it('reads the rest of the body up to drainBytes, then lets it go', () => {
    const rest = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100));
    expect(seen(bytes(success, ...rest), { drainBytes: 400 })).to.deep.equal([
      'read to its end at 0',
      'response at 0',
    ]);
    expect(seen(bytes(success, ...rest), { drainBytes: 399 })).to.deep.equal([
      'response at 0',
      'let go at 0',
    ]);
  });

  it('waits for the end of the body for drainSeconds, then lets it go', () => {
    expect(seen(concat(bytes(success), NEVER))).to.deep.equal(['response at 1000', 'let go at 1000']);
    expect(seen(concat(bytes(success), trickle), { drainSeconds: 0.25 })).to.deep.equal([
      'response at 250',
      'let go at 250',
    ]);
  });

  it('emits the envelope when the body breaks off after it', () => {
    expect(seen(concat(bytes(success), broken))).to.deep.equal(['response at 0']);
  });

  it('errors when the body breaks off or ends before the envelope is complete', () => {
    expect(seen(concat(bytes(success.slice(0, 300)), broken))).to.deep.equal(['NetworkError at 0']);
    expect(seen(bytes(success.slice(0, 300)))).to.deep.equal(['read to its end at 0', 'DecodeError at 0']);
    expect(seen(bytes('<html/>', success))).to.deep.equal(['DecodeError at 0', 'let go at 0']);
  });

  it('emits nothing for a blank body', () => {
    expect(seen(bytes())).to.deep.equal(['read to its end at 0']);
    expect(seen(bytes(' \n'))).to.deep.equal(['read to its end at 0']);
  });

  it('stops reading an endless body that comes at once', () => {
    function* endless(): Generator<Uint8Array> {
      for (;;) yield encoder.encode(success);
    }
    expect(seen(from(endless()))).to.deep.equal(['response at 0', 'let go at 0']);
  });

  it('calls onMessage before the body has ended', () => {
    const types: string[] = [];
    inVirtualTime(() => {
      concat(bytes(plainFault('s:Client', 'no')), NEVER)
        .pipe(parseResponse({ onMessage: ({ type }) => types.push(`${type} at ${asyncScheduler.now()}`) }))
        .subscribe();
    });
    expect(types).to.deep.equal(['fault at 0']);
  });

  it('emits events of the first envelope before it is complete', () => {
    const early: number[] = [];
    const events = Array.from({ length: 100 }, (_, index) => itemEvent('NewMailEvent', `W${index}`)).join('');
    const body = eventsAnswer(events);
    seen(bytes(body + body), { onEvents: (some) => early.push(some.length) });
    const total = early.reduce((sum, count) => sum + count, 0);
    expect(total).to.be.greaterThan(50).and.at.most(100);
  });

  it('errors with a DecodeError for an envelope beyond the limits', () => {
    expect(seen(bytes(success), { messageCharacters: 100 })).to.deep.equal([
      'DecodeError at 0',
      'let go at 0',
    ]);
  });
});
