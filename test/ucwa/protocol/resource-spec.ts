import { expect } from 'chai';
import { filter, firstValueFrom, map, mergeMap } from 'rxjs';
import { embeddedResource, meIn, type Resource } from '../../../lib/ucwa/protocol/resource.ts';
import { connected } from '../connected.ts';

const BASE = 'https://pool.contoso.com/ucwa/oauth/v1/applications/101';

const embedding = (_embedded: NonNullable<Resource['_embedded']>): Resource => ({
  rel: 'application',
  _embedded,
});

describe('the resources embedded in an application', () => {
  it('are available to its subscribers, with links to follow', async () => {
    const { ucwa } = connected();
    const { uri, name } = await firstValueFrom(ucwa.application$.pipe(map(({ me }) => me)));
    expect({ uri, name }).to.deep.equal({ uri: 'sip:lene@contoso.com', name: 'Lene' });
    const groups = await firstValueFrom(
      ucwa.application$.pipe(
        map(({ people }) => people._links['myGroups']),
        filter((link) => link !== undefined),
        mergeMap((link) => ucwa.get(link)),
      ),
    );
    expect(groups.rel).to.equal('myGroups');
    expect((await ucwa.close()).clean).to.equal(true);
  });

  it('belong to the application that was re-created', async () => {
    const { ucwa, server } = connected();
    const seen: (string | undefined)[] = [];
    ucwa.application$.subscribe(({ people }) => seen.push(people._links['self']?.href));
    ucwa.events$.subscribe();
    server.endApplications();
    expect(seen).to.deep.equal([`${server.url}/101/people`, `${server.url}/102/people`]);
    await ucwa.close();
  });

  it('have absolute links, one of each type', () => {
    const people = {
      rel: 'people',
      _links: {
        self: { href: 'people' },
        myGroups: [{ href: '/ucwa/oauth/v1/applications/101/groups', title: 'Groups' }, { href: '/other' }],
        search: { href: 'https://pool.contoso.com/ucwa/oauth/v1/applications/101/search' },
        nothing: [],
        broken: { href: 'https://' },
      },
    };
    expect(embeddedResource(embedding({ people }), 'people', `${BASE}/`)._links).to.deep.equal({
      self: { href: `${BASE}/people` },
      myGroups: { href: `${BASE}/groups`, title: 'Groups' },
      search: { href: `${BASE}/search` },
    });
  });

  it('are found by their own rel under another key', () => {
    const user = { rel: 'me', uri: 'sip:lene@contoso.com' };
    expect(meIn(embedding({ user }), BASE).uri).to.equal('sip:lene@contoso.com');
  });

  it('are empty if the application embeds none', () => {
    expect(embeddedResource({}, 'people', BASE)).to.deep.equal({ rel: 'people', _links: {} });
    expect(meIn({ rel: 'application' }, BASE)).to.deep.equal({ rel: 'me', _links: {} });
  });
});

describe('me', () => {
  it('keeps the mail addresses that are strings', () => {
    const { emailAddresses } = meIn(embedding({ me: { emailAddresses: ['lene@contoso.com', 7] } }), BASE);
    expect(emailAddresses).to.deep.equal(['lene@contoso.com']);
  });

  it('contains the user and all other members', () => {
    const me = {
      ...{ rel: 'me', uri: 'sip:lene@contoso.com', name: 'Lene', title: 'Manager', department: 'Sales' },
      ...{ company: 'Contoso', emailAddresses: ['lene@contoso.com'], workPhoneNumber: 'tel:+4550100' },
    };
    expect(meIn(embedding({ me: [me] }), BASE)).to.deep.equal({ ...me, _links: {} });
  });

  for (const [name, sent] of [
    ['null', { uri: null, name: null, emailAddresses: null }],
    ['another type', { uri: 7, name: { first: 'Lene' }, emailAddresses: 'lene@contoso.com' }],
  ] as const) {
    it(`omits a member that is ${name}`, () => {
      const { uri, name: called, emailAddresses, title } = meIn(embedding({ me: sent }), BASE);
      expect([uri, called, emailAddresses, title]).to.deep.equal([
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
    });
  }
});
