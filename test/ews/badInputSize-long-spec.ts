import { expect } from 'chai';
import { concat, map, range, tap } from 'rxjs';
import type { HttpResponse } from '../../lib/core/transport/transport.ts';
import { fateOf, text } from './fates.ts';

const encoder = new TextEncoder();

describe('Bad input instead of events', () => {
  for (const kind of ['pull', 'stream'] as const) {
    it(`causes an error of a ${kind} at the limit: 200 MB unclosed`, () => {
      const megabyte = encoder.encode('<a>b</a>'.repeat(131_072));
      let taken = 0;
      const endless = (): HttpResponse['body$'] =>
        concat(
          text('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>')(),
          range(0, 200).pipe(
            map(() => megabyte),
            tap(() => (taken += 1)),
          ),
        );
      const { error, left } = fateOf(kind, endless);
      expect(error).to.include({ _tag: 'DecodeError' });
      expect(error!.message).to.match(/at most 16777216 characters/);
      expect(taken).to.be.at.most(18);
      expect(left).to.equal(0);
    }).timeout(60_000);
  }
});
