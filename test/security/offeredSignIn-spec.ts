import { expect } from 'chai';
import { lastValueFrom, materialize, type Observable, take, toArray } from 'rxjs';
import { lookUp } from '../ews/discovery/lookUp.ts';
import { AutodiscoverError } from '../../lib/ews/protocol/errors.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { basic } from '../../lib/ews/auth/basic.ts';
import { type Auth, bearer } from '../../lib/core/auth/auth.ts';
import { type Arrival, type Internet, internet } from '../support/net/internet.ts';

const SECRET = 'Tr0ub4dor-and-3';
const BASIC = `Basic ${btoa(`sara:${SECRET}`)}`;
const password = basic({ username: 'sara', password: SECRET });
const token = bearer(SECRET);

async function endOf(source$: Observable<unknown>): Promise<unknown> {
  const notes = await lastValueFrom(source$.pipe(materialize(), toArray()));
  const [error] = notes.flatMap((note) => (note.kind === 'E' ? [note.error as unknown] : []));
  return error;
}

describe('Credentials for a host that the caller did not name', () => {
  let world: Internet | undefined;

  afterEach(async () => {
    await world?.close();
    world = undefined;
  });

  /** Responds 401 with these challenges at every host of the domain. */
  const refusing = async (offer: (arrival: Arrival) => readonly string[]): Promise<Internet> => {
    world = await internet(['contoso.com', '*.contoso.com'], (arrival) => {
      const challenges = offer(arrival).join(', ');
      return { status: 401, headers: challenges === '' ? {} : { 'www-authenticate': challenges } };
    });
    return world;
  };

  const look = (auth: Auth): Promise<unknown> => endOf(lookUp('sara@contoso.com', { auth }));

  const withheld: readonly (readonly [Auth, readonly string[], string])[] = [
    [password, ['Bearer realm="x"'], 'offers Bearer, so the password was not sent'],
    [password, ['Negotiate', 'NTLM'], 'offers Negotiate, NTLM, so the password was not sent'],
    [password, ['Bearer realm="x, Basic realm=y"'], 'offers Bearer, so the password was not sent'],
    [password, [], 'without a WWW-Authenticate header that can be read, so the password was not sent'],
    [token, ['Basic realm="x"'], 'offers Basic, so the token was not sent'],
    [token, ['MsRtcOAuth href="https://contoso.com/"'], 'offers MsRtcOAuth, so the token was not sent'],
  ];
  for (const [auth, offer, reason] of withheld) {
    const kind = auth === password ? 'password' : 'token';
    it(`exclude a ${kind} after a 401 that offers ${offer.join(' and ') || 'nothing'}`, async () => {
      const { arrivals } = await refusing(() => offer);
      const error = await look(auth);
      expect(arrivals.map(({ host, method }) => `${method} ${host}`)).to.deep.equal([
        'GET autodiscover.contoso.com',
        'GET contoso.com',
        'POST autodiscover.contoso.com',
        'POST contoso.com',
      ]);
      expect(JSON.stringify(arrivals)).to.not.contain(SECRET).and.not.contain(BASIC);
      expect(error).to.be.instanceOf(AutodiscoverError);
      expect((error as AutodiscoverError).tried.map((one) => one.reason)).to.satisfy(
        (reasons: readonly string[]) => reasons.every((one) => one.includes(reason)),
      );
    });
  }

  it('are sent only to a host that offers their scheme', async () => {
    const { arrivals } = await refusing(({ host }) => [
      host === 'contoso.com' ? 'Bearer' : 'Basic realm="x"',
    ]);
    await look(password);
    const signed = arrivals.filter(({ authorization }) => authorization !== undefined);
    expect(signed.map(({ host, authorization }) => `${host} ${authorization ?? ''}`)).to.deep.equal([
      `autodiscover.contoso.com ${BASIC}`,
    ]);
  });

  it('are sent after a 401 that offers their scheme among others', async () => {
    const { arrivals } = await refusing(() => ['Negotiate', 'BEARER realm="x"']);
    const error = await look(token);
    const signed = arrivals.filter(({ authorization }) => authorization === `Bearer ${SECRET}`);
    expect(signed).to.have.length(4);
    expect((error as AutodiscoverError).tried[0]?.reason).to.match(/it refuses the credentials$/);
  });

  it('are sent at once to the URL of the caller', async () => {
    const { arrivals } = await refusing(() => ['Bearer']);
    const url = 'https://mail.contoso.com/EWS/Exchange.asmx';
    const exchange = connectExchange({ server: url, auth: password, retry: { retries: 0 } });
    await endOf(pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).pipe(take(1)));
    await exchange.close({ timeoutMs: 0 });
    expect(arrivals[0]).to.include({ host: 'mail.contoso.com', authorization: BASIC });
  });
});
