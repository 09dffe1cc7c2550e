import { expect } from 'chai';
import { catchError, EMPTY, lastValueFrom, of } from 'rxjs';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { withToken } from '../../lib/core/auth/withToken.ts';
import { headersFrom, type HttpRequest, type Transport } from '../../lib/core/transport/transport.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { autodiscovered, basic, connectExchange, pullNotifications } from '../../lib/ews/index.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { connectUcwa, existingApplication, discovered } from '../../lib/ucwa/index.ts';

describe('Credentials in clear text', () => {
  const REMOTE = 'http://pool.contoso.com/';
  const safe = ['https://pool.contoso.com/', 'http://localhost:8080/', 'http://127.0.0.1/', 'http://[::1]/'];
  const credentials = { username: 'sara', password: 'hush' };
  const token = 'hush';
  const recording = (): { transport: Transport; sent: HttpRequest[] } => {
    const sent: HttpRequest[] = [];
    return {
      sent,
      transport: (request) => {
        sent.push(request);
        return of({ status: 404, url: request.url, headers: headersFrom({}), body$: EMPTY });
      },
    };
  };

  const ways: readonly [title: string, call: (url: string, more: object) => unknown][] = [
    [
      'connectUcwa with a URL',
      (applications, more) => connectUcwa({ server: applications, auth: bearer(token), ...more }),
    ],
    [
      'connectUcwa with an existing application',
      (application, more) =>
        connectUcwa({ server: existingApplication(application), auth: bearer(token), ...more }),
    ],
    ['exchange with a token', (url, more) => connectExchange({ server: url, auth: bearer(token), ...more })],
    [
      'exchange with basic',
      (url, more) => connectExchange({ server: url, auth: basic(credentials), ...more }),
    ],
  ];
  for (const [title, call] of ways) {
    it(`are refused by ${title}, without showing them`, () => {
      expect(() => call(REMOTE, {})).to.throw(TypeError, /^(?!.*hush).*must be https.*allowInsecureHttp/s);
      expect(() => call(REMOTE, { allowInsecureHttp: 'yes' })).to.throw(TypeError, 'must be https');
    });

    it(`are allowed to ${title} by allowInsecureHttp, to this machine and by https`, () => {
      call(REMOTE, { allowInsecureHttp: true });
      for (const url of safe) call(url, {});
    });
  }

  it('do not exist without a token, so any URL is allowed', () => {
    connectUcwa({ server: REMOTE });
    connectExchange({ server: REMOTE });
  });

  it('are sent by withToken only if that is allowed', () => {
    const { transport, sent } = recording();
    const errors: unknown[] = [];
    const request = { method: 'GET', url: REMOTE };
    withToken(token)(transport)(request).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(sent).to.deep.equal([]);
    expect(errors[0]).to.be.instanceOf(TypeError).with.property('message').that.includes('must be https');
    withToken(token, { allowInsecureHttp: true })(transport)(request).subscribe();
    expect(sent.map(({ headers }) => headers?.['authorization'])).to.deep.equal(['Bearer hush']);
  });

  it('are sent by a connection that allows it', () => {
    const { transport, sent } = recording();
    connectUcwa({
      server: REMOTE,
      auth: bearer(token),
      transport,
      allowInsecureHttp: true,
    }).application$.subscribe({
      error: () => undefined,
    });
    const exchange = connectExchange({
      server: REMOTE,
      auth: bearer(token),
      transport,
      allowInsecureHttp: true,
    });
    pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
      error: () => undefined,
    });
    expect(sent.map(({ url, headers }) => [url, headers?.['authorization']])).to.deep.equal([
      [REMOTE, 'Bearer hush'],
      [REMOTE, 'Bearer hush'],
    ]);
  });

  it('are sent over a socket to this machine, and to no other', async () => {
    const { transport, sent } = recording();
    const served = await serve(transport);
    const signed = withToken(token)(fetchTransport());
    for (const url of [served.origin, REMOTE]) {
      await lastValueFrom(signed({ method: 'GET', url }).pipe(catchError((error: Error) => of(error.name))));
    }
    await served.close();
    expect(sent.map(({ headers }) => headers?.['authorization'])).to.deep.equal(['Bearer hush']);
  });

  it('are never allowed in discovery and Autodiscover', () => {
    const signIn = () => 'hush';
    expect(() => discovered('contoso.com', { urls: [REMOTE] })).to.throw(TypeError, 'https');
    const wrong = { allowInsecureHttp: true } as object;
    expect(() => discovered('contoso.com', wrong)).to.throw(TypeError, 'unknown name');
    expect(() => autodiscovered('sara@contoso.com', wrong)).to.throw(TypeError, 'unknown name');
    expect(() => connectUcwa({ server: discovered('contoso.com'), auth: bearer(signIn), ...wrong })).to.throw(
      TypeError,
      'which uses https',
    );
    expect(() => connectExchange({ server: autodiscovered('sara@contoso.com'), ...wrong })).to.throw(
      TypeError,
      'https is used',
    );
  });
});
