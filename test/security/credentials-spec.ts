import { expect } from 'chai';
import { lastValueFrom, materialize, type Observable, take, toArray } from 'rxjs';
import { autodiscoverEws } from '../../lib/ews/autodiscover.ts';
import { pullNotifications } from '../../lib/ews/pull.ts';
import { exchange } from '../../lib/ews/service.ts';
import { connect } from '../../lib/ucwa/connect.ts';
import { discover } from '../../lib/ucwa/discovery.ts';
import { password } from '../../lib/ucwa/signIn.ts';
import { type Internet, internet, type Reply } from '../support/internet.ts';

const SECRET = 'Tr0ub4dor-and-3';
const BASIC = `Basic ${btoa(`sara:${SECRET}`)}`;
const HOSTS = ['contoso.com', '*.contoso.com', 'evil.test', '*.evil.test', '*.test'];

/** Hosts that end like the domain for one parser of URLs, and begin like another host for the other. */
const DISGUISES = [
  ';',
  "'",
  '"',
  '{',
  '}',
  '`',
  '@',
  '\\',
  '/',
  '?',
  '#',
  '%2f',
  '%00',
  ':443/',
  ':@',
  '&',
  '!',
].map((separator) => `evil.test${separator}.contoso.com`);

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

async function ended(source$: Observable<unknown>): Promise<unknown[]> {
  const notes = await lastValueFrom(source$.pipe(materialize(), toArray()));
  return notes.map((note) => (note.kind === 'E' ? note.error : note.kind === 'N' ? note.value : undefined));
}

describe('Credentials over real sockets', () => {
  let world: Internet | undefined;

  afterEach(async () => {
    await world?.close();
    world = undefined;
  });

  const expectOnlyContoso = ({ arrivals }: Internet): void => {
    for (const { host, authorization, body } of arrivals) {
      if (!/^(?:[\w-]+\.)*contoso\.com$/.test(host)) {
        expect(authorization, host).to.equal(undefined);
        expect(body, host).to.not.contain(SECRET);
      }
    }
    expect(arrivals.filter(({ host }) => host.includes('test'))).to.deep.equal([]);
  };

  for (const disguise of DISGUISES) {
    it(`never reach ${disguise} through a URL of Autodiscover`, async () => {
      world = await internet(HOSTS, ({ authorization }) =>
        authorization === undefined
          ? json(401, {}, { 'www-authenticate': 'Basic realm="x"' })
          : json(200, { Protocol: 'EWS', Url: `https://${disguise}/EWS/Exchange.asmx` }),
      );
      const service = exchange({
        address: 'sara@contoso.com',
        basic: { username: 'sara', password: SECRET },
        retry: { retries: 0 },
      });
      await ended(pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).pipe(take(1)));
      expectOnlyContoso(world);
      expect(world.arrivals.some(({ authorization }) => authorization === BASIC)).to.equal(true);
      await service.close({ timeoutMs: 0 });
    });

    it(`never reach ${disguise} through a redirect of Autodiscover`, async () => {
      const location = `https://${disguise}/autodiscover/autodiscover.xml`;
      world = await internet(HOSTS, () => ({ status: 302, headers: { location } }));
      await ended(autodiscoverEws({ address: 'sara@contoso.com', token: () => [SECRET] }));
      expectOnlyContoso(world);
      expect(world.arrivals).to.not.have.length(0);
    });

    it(`never reach ${disguise} through a link of UCWA`, async () => {
      world = await internet(HOSTS, () =>
        json(200, { _links: { user: { href: `https://${disguise}/user` } } }),
      );
      await ended(discover({ domain: 'contoso.com', token: () => [SECRET] }).location$);
      expectOnlyContoso(world);
      expect(world.arrivals).to.not.have.length(0);
    });

    it(`never reach ${disguise} through the token endpoint of UCWA`, async () => {
      const endpoint = `https://${disguise.replaceAll(/["\\]/g, '\\$&')}/token`;
      const challenge = `MsRtcOAuth href="${endpoint}", grant_type="password"`;
      world = await internet(HOSTS, ({ path }) =>
        path === '/user'
          ? json(401, {}, { 'www-authenticate': challenge })
          : json(200, { _links: { user: { href: '/user' } } }),
      );
      const ucwa = connect({
        domain: 'contoso.com',
        signIn: password({ username: 'sara@contoso.com', password: SECRET }),
        retry: { retries: 0 },
      });
      await ended(ucwa.events$.pipe(take(1)));
      expectOnlyContoso(world);
      expect(world.arrivals.some(({ path }) => path === '/user')).to.equal(true);
      await ucwa.close({ timeoutMs: 0 });
    });
  }
});
