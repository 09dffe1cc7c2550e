import { expect } from 'chai';
import { of } from 'rxjs';
import { sharedValues } from '../../../lib/core/sharedValues.ts';
import { connectionBackoff } from '../../../lib/core/backoff/connectionBackoff.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import { AFFINITY, affinity } from '../../../lib/ews/discovery/affinity.ts';
import {
  type AffinityGroups,
  affinityGroups,
  anchorOption,
} from '../../../lib/ews/discovery/affinityGroups.ts';
import { response } from '../../support/responses.ts';

const setting = response(200, { headers: { 'set-cookie': 'X-BackEndOverrideCookie=mbx1; path=/' } });

const keptByCookies = AFFINITY.read('affinity', affinity()).group;

function farm(groupAffinity?: typeof keptByCookies): {
  readonly groups: AffinityGroups;
  readonly requests: HttpRequest[];
} {
  const requests: HttpRequest[] = [];
  const groups = affinityGroups(groupAffinity, (url, middleware) => {
    const transport = middleware((request) => {
      requests.push(request);
      return of(setting);
    });
    return {
      ...{ url, backoff: connectionBackoff(), shared: sharedValues() },
      ...{ calls: transport, streams: transport },
    };
  });
  return { groups, requests };
}

describe('The affinity groups of a connection', () => {
  it('include one for each anchor mailbox', () => {
    const { groups } = farm();
    const group = groups.groupOf('sara', 'a@b');
    expect(groups.groupOf('alfred', 'a@b')).to.equal(group);
    expect(groups.groupOf('alfred', 'c@d')).to.not.equal(group);
  });

  it('set the anchor and affinity headers on each request', () => {
    const { groups, requests } = farm();
    const headers = { accept: 'text/xml', 'x-anchormailbox': 'sadie@contoso.com' };
    const url = 'https://one.example/';
    groups.groupOf('sara', 'a@b').at(url).calls({ method: 'POST', url, headers }).subscribe();
    groups.groupOf('sara', 'a@b').at(url).calls({ method: 'POST', url }).subscribe();
    const anchored = { 'x-anchormailbox': 'a@b', 'x-preferserveraffinity': 'true' };
    expect(requests.map((request) => request.headers)).to.deep.equal([
      { accept: 'text/xml', ...anchored },
      anchored,
    ]);
  });

  it('request affinity without an anchor if cookies are stored', () => {
    const { groups, requests } = farm(keptByCookies);
    const url = 'https://one.example/';
    const { calls } = groups.groupOf('sara', undefined).at(url);
    for (let count = 0; count < 2; count += 1) calls({ method: 'POST', url }).subscribe();
    expect(requests.map(({ headers }) => headers)).to.deep.equal([
      { 'x-preferserveraffinity': 'true' },
      { 'x-preferserveraffinity': 'true', cookie: 'X-BackEndOverrideCookie=mbx1' },
    ]);
  });

  it('send no cookie without affinity()', () => {
    const { groups, requests } = farm();
    const url = 'https://one.example/';
    const { calls } = groups.groupOf('sara', 'a@b').at(url);
    for (let count = 0; count < 2; count += 1) calls({ method: 'POST', url }).subscribe();
    expect(requests.map(({ headers }) => headers?.['cookie'])).to.deep.equal([undefined, undefined]);
  });

  it('include one without affinity for each mailbox without an anchor', () => {
    const { groups, requests } = farm();
    const group = groups.groupOf('sid', undefined);
    expect(groups.groupOf('sid', undefined)).to.equal(group);
    expect(groups.groupOf('other', undefined)).to.not.equal(group);
    const request = { method: 'POST', url: 'https://one.example/' };
    group.at(request.url).calls(request).subscribe();
    expect(requests).to.deep.equal([{ ...request, headers: {} }]);
  });

  it('have at most 200 mailboxes, each of which stays in its group', () => {
    const { groups } = farm();
    const first = groups.groupOf('0', 'a@b');
    for (let each = 1; each < 200; each += 1) expect(groups.groupOf(`${each}`, 'a@b')).to.equal(first);
    const second = groups.groupOf('200', 'a@b');
    expect(second).to.not.equal(first);
    expect(groups.groupOf('201', 'a@b')).to.equal(second);
    expect(groups.groupOf('7', 'a@b')).to.equal(first);
    expect(groups.groupOf('200', 'a@b')).to.equal(second);
  });

  it('store cookies per URL and forget them all', () => {
    const { groups, requests } = farm(keptByCookies);
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

  for (const anchorMailbox of [
    '',
    'alfred',
    'alfred @contoso.com',
    'a@b\r\nHost: evil',
    'sära@contoso.com',
    7,
  ]) {
    it(`throw for the anchor ${JSON.stringify(anchorMailbox)}`, () => {
      expect(() => anchorOption(anchorMailbox)).to.throw(TypeError, /^anchorMailbox must be an SMTP address/);
    });
  }
});
