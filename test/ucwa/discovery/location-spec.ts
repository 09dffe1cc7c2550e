import { expect } from 'chai';
import { concat, defer, type Observable, of, throwError } from 'rxjs';
import { HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { DiscoveryError } from '../../../lib/ucwa/protocol/errors.ts';
import type { UcwaLocation } from '../../../lib/ucwa/discovery/steps.ts';
import {
  staticLocation,
  discoveredLocation,
  type ServerLocation,
} from '../../../lib/ucwa/discovery/location.ts';
import { response } from '../../support/responses.ts';

const at = (origin: string): UcwaLocation => ({
  ...{ origin, applications: `${origin}/ucwa/v1/applications` },
  user: 'https://lyncweb.contoso.com/user',
});
const pool1 = at('https://pool1.contoso.com');
const pool2 = at('https://pool2.contoso.com');
const request = { method: 'GET', url: 'https://pool1.contoso.com/ucwa' };
const forbidden = new HttpError(403, request);
const broken = new NetworkError('no answer', request);
const away = new DiscoveryError('contoso.com', []);
const none = new DiscoveryError('contoso.com', [
  { url: 'https://lyncdiscover.contoso.com/', cause: new HttpError(404, request) },
]);

/** Returns a discovery whose searches return these results in order. */
const found = (
  ...results: readonly (UcwaLocation | Error)[]
): { location: ServerLocation; searches: () => number } => {
  let searches = 0;
  let isKnown = false;
  const location$ = defer(() => {
    if (!isKnown) searches += 1;
    const result = results[searches - 1]!;
    isKnown = !(result instanceof Error);
    return result instanceof Error ? throwError(() => result) : of(result);
  });
  const discovery = {
    location$,
    signed: (transport: Transport) => transport,
    forget: () => (isKnown = false),
  };
  return { location: discoveredLocation(discovery, () => of(undefined), 2), searches: () => searches };
};

const all = (source: Observable<unknown>): unknown[] => {
  const values: unknown[] = [];
  source.subscribe({
    next: (value) => values.push(value),
    error: (error: unknown) => values.push(error),
    complete: () => values.push('|'),
  });
  return values;
};

const sentThrough = ({ pinned }: ServerLocation, url: string): unknown =>
  all(pinned(() => of(response(204)))({ method: 'GET', url }))[0];

describe('a location', () => {
  describe('that is given', () => {
    const location = staticLocation(pool1.applications);

    it('never changes', () => {
      expect(all(location.url$)).to.deep.equal([pool1.applications, '|']);
      expect(all(location.hasMoved(forbidden))).to.deep.equal([false, '|']);
    });

    it('restricts requests to its origin', () => {
      expect(sentThrough(location, request.url)).to.include({ status: 204 });
      expect(sentThrough(location, 'https://pool2.contoso.com/')).to.be.instanceOf(OriginError);
    });
  });

  describe('that is found', () => {
    it('is searched by the first request and cached', () => {
      const { location, searches } = found(pool1);
      expect(searches()).to.equal(0);
      expect(sentThrough(location, request.url)).to.include({ status: 204 });
      expect(all(location.url$)).to.deep.equal([pool1.applications, '|']);
      expect(searches()).to.equal(1);
    });

    it('is retried as often as the policy allows', () => {
      expect(all(found(away, away, pool1).location.url$)).to.deep.equal([pool1.applications, '|']);
      expect(all(found(away, away, away, pool1).location.url$)).to.deep.equal([away]);
      expect(all(found(none, pool1).location.url$)).to.deep.equal([none]);
    });

    const failures: readonly (readonly [string, unknown, number, boolean])[] = [
      ['a 403 that is not of UCWA', forbidden, 1, true],
      ['a 502', new HttpError(502, request), 1, true],
      ['the third failure in a row to reach it', broken, 3, true],
      ['the second failure in a row to reach it', broken, 2, false],
      ['a 503', new HttpError(503, request), 5, false],
    ];
    for (const [name, error, count, again] of failures) {
      it(`is ${again ? '' : 'not '}searched again after ${name}`, () => {
        const { location, searches } = found(pool1, pool2);
        const failing = location.tracked(() => throwError(() => error))(request);
        for (let each = 0; each < count; each += 1) all(failing);
        expect(all(concat(location.url$, location.hasMoved(error), location.url$))).to.deep.equal([
          pool1.applications,
          again,
          again ? pool2.applications : pool1.applications,
          '|',
        ]);
        expect(searches()).to.equal(again ? 2 : 1);
      });
    }

    it('is searched once for all simultaneous requests', () => {
      const { location, searches } = found(pool1, pool2);
      const answers: unknown[] = [];
      all(location.url$);
      // The response to the first request causes the second.
      location.hasMoved(forbidden).subscribe((first) => {
        answers.push(first, ...all(location.hasMoved(forbidden)));
      });
      expect(answers).to.deep.equal([true, true]);
      expect(searches()).to.equal(2);
    });

    it('is not searched again if a response separates the failures', () => {
      const { location, searches } = found(pool1, pool2);
      all(location.url$);
      for (const answer of [throwError(() => broken), throwError(() => broken), of(response(503))])
        all(location.tracked(() => answer)(request));
      all(location.tracked(() => throwError(() => broken))(request));
      expect(all(location.hasMoved(broken))).to.deep.equal([false, '|']);
      expect(searches()).to.equal(1);
    });

    it('sends its requests to the new location after a move', () => {
      const { location } = found(pool1, pool2);
      expect(all(concat(location.url$, location.hasMoved(forbidden)))).to.include(true);
      expect(sentThrough(location, pool2.applications)).to.include({ status: 204 });
      expect(sentThrough(location, request.url)).to.be.instanceOf(OriginError);
    });

    it('does not change if it is found again, or not found', () => {
      for (const second of [pool1, none]) {
        const { location } = found(pool1, second);
        expect(all(concat(location.url$, location.hasMoved(forbidden)))).to.include(false);
        expect(sentThrough(location, request.url)).to.include({ status: 204 });
      }
    });

    it('reports that it is unknown while discovery hosts do not respond', () => {
      const { location } = found(pool1, away);
      expect(all(concat(location.url$, location.hasMoved(forbidden)))).to.deep.equal([
        pool1.applications,
        away,
      ]);
    });
  });
});
