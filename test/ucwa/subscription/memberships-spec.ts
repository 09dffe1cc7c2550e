import { expect } from 'chai';
import { of } from 'rxjs';
import { headersFrom, type Transport } from '../../../lib/core/transport/transport.ts';
import { type Membership, memberships } from '../../../lib/ucwa/subscription/memberships.ts';

const answering =
  (body: object): Transport =>
  ({ url }) =>
    of({
      status: 200,
      url,
      headers: headersFrom({ 'content-type': 'application/json' }),
      body$: of(new TextEncoder().encode(JSON.stringify(body))),
    });

const membership = (contact: string | undefined, subscription?: string, self?: string): object => ({
  rel: 'presenceSubscriptionMembership',
  _links: {
    ...(self === undefined ? {} : { self: { href: self } }),
    ...(contact === undefined ? {} : { contact: { href: contact } }),
    ...(subscription === undefined ? {} : { presenceSubscription: { href: subscription } }),
  },
});

const found = (body: object): readonly Membership[] => {
  let recorded: readonly Membership[] = [];
  memberships(answering(body), 'https://pool.contoso.com/m', '/presencesubscriptions/a').subscribe(
    (all) => (recorded = all),
  );
  return recorded;
};

describe('memberships', () => {
  it('returns those of the given subscription only', () => {
    const all = found({
      _embedded: {
        presenceSubscriptionMembership: [
          membership('/people/282', '/presenceSubscriptions/A'),
          membership('/people/283', '/presenceSubscriptions/b'),
          membership('https://fe1.contoso.com/People/284'),
          membership(undefined, '/presenceSubscriptions/A'),
        ],
      },
    });
    expect(all.map(({ contact }) => contact)).to.deep.equal(['/people/282', '/people/284']);
  });

  it('returns the link to delete and the address in an href', () => {
    const [one, two, three] = found({
      _embedded: {
        presenceSubscriptionMembership: [
          membership('/people/282', undefined, '/memberships/ads-bes2asd,John@contoso.com'),
          membership('/people/sara@contoso.com', undefined, 'https://fe1.contoso.com/memberships/7'),
          membership('/people/283'),
        ],
      },
    });
    expect(one).to.deep.equal({
      self: 'https://pool.contoso.com/memberships/ads-bes2asd,John@contoso.com',
      contact: '/people/282',
      href: '/people/282',
      address: 'john@contoso.com',
    });
    expect(two).to.include({ self: 'https://fe1.contoso.com/memberships/7', address: 'sara@contoso.com' });
    expect(three).to.deep.equal({
      self: undefined,
      contact: '/people/283',
      href: '/people/283',
      address: undefined,
    });
  });

  it('returns none for a response without any', () => {
    expect(found({})).to.deep.equal([]);
  });
});
