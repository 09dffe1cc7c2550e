import { expect } from 'chai';
import { of } from 'rxjs';
import { connectionBackoff } from '../../../lib/core/backoff/connectionBackoff.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import { type AffinityGroups, affinityGroups } from '../../../lib/ews/discovery/affinityGroups.ts';
import { response } from '../../support/responses.ts';

const setting = response(200, { headers: { 'set-cookie': 'X-BackEndOverrideCookie=mbx1; path=/' } });

function farm(): { readonly groups: AffinityGroups; readonly requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  const groups = affinityGroups((url, affinity) => {
    const transport = affinity((request) => {
      requests.push(request);
      return of(setting);
    });
    return { url, backoff: connectionBackoff(), calls: transport, streams: transport };
  });
  return { groups, requests };
}

describe('The affinity groups of a service', () => {
  it('should be one for all mailboxes that name the same anchor, and others for others', () => {
    const { groups } = farm();
    const group = groups.groupOf('sara', 'a@b');
    expect(groups.groupOf('alfred', 'a@b')).to.equal(group);
    expect(groups.groupOf('alfred', 'c@d')).to.not.equal(group);
  });

  it('should be one for each mailbox that has no anchor, and ask for no affinity', () => {
    const { groups, requests } = farm();
    const group = groups.groupOf('sid', undefined);
    expect(groups.groupOf('sid', undefined)).to.equal(group);
    expect(groups.groupOf('other', undefined)).to.not.equal(group);
    const request = { method: 'POST', url: 'https://one.example/' };
    group.at(request.url).calls(request).subscribe();
    expect(requests).to.deep.equal([request]);
  });

  it('should hold 200 mailboxes at most, and each stay where it was', () => {
    const { groups } = farm();
    const first = groups.groupOf('0', 'a@b');
    for (let each = 1; each < 200; each += 1) expect(groups.groupOf(`${each}`, 'a@b')).to.equal(first);
    const second = groups.groupOf('200', 'a@b');
    expect(second).to.not.equal(first);
    expect(groups.groupOf('201', 'a@b')).to.equal(second);
    expect(groups.groupOf('7', 'a@b')).to.equal(first);
    expect(groups.groupOf('200', 'a@b')).to.equal(second);
  });

  it('should have one site at each URL, whose cookies are its own, and forget them all', () => {
    const { groups, requests } = farm();
    const group = groups.groupOf('sara', 'a@b');
    expect(group.at('https://one.example/')).to.equal(group.at('https://one.example/'));
    const ask = (url: string): void => {
      group.at(url).calls({ method: 'POST', url }).subscribe();
    };
    for (const url of ['https://one.example/', 'https://one.example/', 'https://two.example/']) ask(url);
    group.forget();
    for (const url of ['https://one.example/', 'https://one.example/']) ask(url);
    const cookie = 'X-BackEndOverrideCookie=mbx1';
    expect(requests.map(({ headers }) => headers?.['cookie'])).to.deep.equal([
      undefined,
      cookie,
      undefined,
      undefined,
      cookie,
    ]);
  });
});
