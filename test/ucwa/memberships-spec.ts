import { expect } from 'chai';
import { of } from 'rxjs';
import { headersFrom, type Transport } from '../../lib/core/transport.ts';
import { members } from '../../lib/ucwa/memberships.ts';

const answering =
  (body: object): Transport =>
  ({ url }) =>
    of({
      status: 200,
      url,
      headers: headersFrom({ 'content-type': 'application/json' }),
      body$: of(new TextEncoder().encode(JSON.stringify(body))),
    });

const membership = (contact: string | undefined, subscription?: string): object => ({
  rel: 'presenceSubscriptionMembership',
  _links: {
    ...(contact === undefined ? {} : { contact: { href: contact } }),
    ...(subscription === undefined ? {} : { presenceSubscription: { href: subscription } }),
  },
});

describe('members', () => {
  it('should be the contacts of the one subscription', () => {
    let keys: readonly string[] = [];
    const body = {
      _embedded: {
        presenceSubscriptionMembership: [
          membership('/people/282', '/presenceSubscriptions/A'),
          membership('/people/283', '/presenceSubscriptions/b'),
          membership('https://fe1.contoso.com/People/284'),
          membership(undefined, '/presenceSubscriptions/A'),
        ],
      },
    };
    members(answering(body), 'https://pool.contoso.com/memberships', '/presencesubscriptions/a').subscribe(
      (found) => (keys = found),
    );
    expect(keys).to.deep.equal(['/people/282', '/people/284']);
  });

  it('should be none where the answer has none', () => {
    let keys: readonly string[] = ['?'];
    members(answering({}), 'https://pool.contoso.com/memberships', '/a').subscribe((found) => (keys = found));
    expect(keys).to.deep.equal([]);
  });
});
