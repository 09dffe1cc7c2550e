import { expect } from 'chai';
import { of } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import { trustedHosts, trustedRedirects } from '../../../lib/ucwa/discovery/steps.ts';
import { UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';
import { response } from '../../support/responses.ts';

const trust = trustedHosts('contoso.com', [], []);
const START = 'https://lyncdiscover.contoso.com/';

/** Follows redirects from one URL to the next; returns the requests and the result. */
const follow = (
  locations: readonly (string | undefined)[],
  status = 302,
): { asked: string[]; outcome: unknown } => {
  const asked: string[] = [];
  const transport: Transport = ({ url }: HttpRequest) => {
    const location = locations[asked.length];
    asked.push(url);
    return of(location === undefined ? response(200) : response(status, { headers: { location } }));
  };
  let outcome: unknown;
  trustedRedirects(trust)(transport)({ method: 'GET', url: START }).subscribe({
    next: (answer) => (outcome = answer.status),
    error: (error: unknown) => (outcome = error),
  });
  return { asked, outcome };
};

describe('trustedRedirects', () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it(`follows a ${status} within the domain`, () => {
      expect(follow(['/root', 'https://pool.contoso.com/root'], status)).to.deep.equal({
        asked: [START, `${START}root`, 'https://pool.contoso.com/root'],
        outcome: 200,
      });
    });
  }

  for (const location of ['https://evil.example/', 'http://lyncdiscover.contoso.com/', '//evil.example']) {
    it(`sends nothing to ${location}`, () => {
      const { asked, outcome } = follow([location]);
      expect(asked).to.deep.equal([START]);
      expect(outcome).to.be.instanceOf(UntrustedLinkError);
      expect((outcome as Error).message).to.match(
        /^the redirect of https:\/\/lyncdiscover\.contoso\.com\/ leads to/,
      );
    });
  }

  it('follows five redirects but no sixth', () => {
    const again: (string | undefined)[] = Array.from({ length: 5 }, () => '/again');
    expect(follow([...again, undefined]).outcome).to.equal(200);
    const { asked, outcome } = follow([...again, '/again', undefined]);
    expect(asked).to.have.length(6);
    expect(outcome).to.be.instanceOf(HttpError);
    expect((outcome as Error).message).to.include('too many redirects');
  });

  it('returns a redirect without a location', () => {
    const outcomes: number[] = [];
    trustedRedirects(trust)(() => of(response(302)))({ method: 'GET', url: START }).subscribe(({ status }) =>
      outcomes.push(status),
    );
    expect(outcomes).to.deep.equal([302]);
  });
});
