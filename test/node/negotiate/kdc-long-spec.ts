import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { catchError, firstValueFrom, forkJoin, map, mergeMap, type Observable, of } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import { readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { type Kerberos, kerberosAdapter } from '../../../lib/node/negotiate/adapter.ts';
import { NegotiateError } from '../../../lib/node/negotiate/errors.ts';
import { negotiate, type NegotiateOptions } from '../../../lib/node/negotiate/negotiate.ts';
import { ntlm } from '../../../lib/node/ntlm/ntlm.ts';
import {
  type Acceptor,
  acceptorFolder,
  type AcceptorFolder,
  apache,
  freePort,
  needs,
} from '../../support/acceptors/acceptor.ts';
import { type Kdc, kdc, krb5Conf } from '../../support/acceptors/kdc.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { trust } from '../../support/net/trust.ts';

/** The variables that a spec changes. */
const NAMES = ['KRB5_CONFIG', 'KRB5CCNAME', 'KRB5RCACHENAME', 'KRB5_CLIENT_KTNAME'];
const PACKAGE = new URL('../../acceptors/package.json', import.meta.url);

/** Loads the package from the folder of the specs, as `import('kerberos')` does from that of a program. */
function load(): Promise<Kerberos> {
  return new Promise((resolve) => resolve(createRequire(PACKAGE)('kerberos') as Kerberos));
}

/** Emits the status and the body of the response to a POST, or the error. */
function ask(transport: Transport, url: string, body: string): Observable<unknown> {
  return transport({ method: 'POST', url: `${url}/EWS`, body }).pipe(
    mergeMap((response) => readText(response, 'response').pipe(map((text) => `${response.status} ${text}`))),
    catchError((error: unknown) =>
      of(
        error instanceof HttpError
          ? `HttpError ${error.status}`
          : error instanceof NegotiateError
            ? error.reason
            : String(error),
      ),
    ),
  );
}

describe('negotiate, a real KDC and Apache', function () {
  this.timeout(60_000);
  let folder: AcceptorFolder;
  let realm: Kdc;
  let upstream: SpecServer;
  let server: Acceptor;
  /** Ends what was started, also if the suite was skipped before. */
  const closing: (() => unknown)[] = [];
  const bodies: string[] = [];
  const saved = { ...process.env };

  const signing = (options: NegotiateOptions = {}): Transport =>
    negotiate({ adapter: kerberosAdapter(load), ...options });
  const start = (...directives: string[]): Promise<Acceptor> =>
    apache(folder, {
      env: { ...realm.env },
      directives: [
        ...['GssapiAllowedMech krb5', `GssapiCredStore keytab:${realm.serviceKeytab}`],
        ...directives,
      ],
      upstream: upstream.url,
    });

  before(
    needs(
      ...['apache2-bin', 'libapache2-mod-auth-gssapi', 'krb5-kdc', 'krb5-admin-server', 'krb5-user'],
      ...['gss-ntlmssp'],
    ),
  );
  before(function () {
    if (existsSync(new URL('node_modules/kerberos/build/Release/kerberos.node', PACKAGE))) return;
    // Optional, because it is built from source: .ci/run installs it.
    console.log('skipped, because kerberos is missing: npm ci --prefix test/acceptors');
    this.skip();
  });
  before(async () => {
    folder = acceptorFolder();
    closing.push(trust(folder.cert), folder.remove);
    realm = await kdc(folder);
    closing.push(realm.close);
    upstream = await httpServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.end(`you sent ${body.length}`);
      });
    });
    closing.push(() => upstream.close());
    server = await start('GssapiConnectionBound On');
    closing.push(server.close);
  });
  after(async () => {
    await Promise.all(closing.map((close) => close()));
  });
  beforeEach(() => {
    bodies.length = 0;
    Object.assign(process.env, realm.env);
  });
  afterEach(() => {
    for (const name of NAMES) {
      const value = saved[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('signs in with the ticket of a password, sending each body once', async () => {
    process.env['KRB5CCNAME'] = realm.kinit();
    const transport = signing();
    const large = 'x'.repeat(300_000);
    for (const body of ['one', 'two', large])
      expect(await firstValueFrom(ask(transport, server.url, body))).to.equal(`200 you sent ${body.length}`);
    expect(bodies).to.deep.equal(['one', 'two', large]);
  });

  it('signs in with a keytab', async () => {
    process.env['KRB5_CLIENT_KTNAME'] = realm.clientKeytab;
    process.env['KRB5CCNAME'] = `FILE:${folder.path}/from-keytab`;
    expect(await firstValueFrom(ask(signing(), server.url, 'one'))).to.equal('200 you sent 3');
  });

  it('signs in fifty concurrent connections', async () => {
    process.env['KRB5CCNAME'] = realm.kinit();
    const transport = signing();
    const sent = Array.from({ length: 50 }, () => ask(transport, server.url, 'one'));
    const responses = await firstValueFrom(forkJoin(sent));
    expect(new Set(responses)).to.deep.equal(new Set(['200 you sent 3']));
    expect(bodies).to.have.length(50);
  });

  it('signs in each request at a server that binds no connection', async () => {
    process.env['KRB5CCNAME'] = realm.kinit();
    const unbound = await start('GssapiConnectionBound Off');
    const transport = signing();
    for (const body of ['one', 'two'])
      expect(await firstValueFrom(ask(transport, unbound.url, body))).to.equal('200 you sent 3');
    expect(bodies).to.deep.equal(['one', 'two']);
    await unbound.close();
  });

  it('names missing credentials', async () => {
    expect(await firstValueFrom(ask(signing(), server.url, 'one'))).to.equal('noCredentials');
  });

  it('names a service that the KDC does not know', async () => {
    process.env['KRB5CCNAME'] = realm.kinit();
    const outcome = await firstValueFrom(ask(signing({ service: 'HTTP@mail.test' }), server.url, 'one'));
    expect(outcome).to.equal('unknownPrincipal');
  });

  /** Changes the difference between the clocks that a ticket cache notes. */
  const shiftClock = (cache: string, seconds: number): string => {
    const bytes = readFileSync(cache.replace('FILE:', ''));
    // The version 4 of the format has it in its first header: tag 1, 8 bytes.
    expect(bytes.subarray(0, 8).toString('hex')).to.equal('0504000c00010008');
    bytes.writeInt32BE(seconds, 8);
    return `FILE:${folder.write('shifted', bytes)}`;
  };

  it('names an expired ticket', async () => {
    process.env['KRB5CCNAME'] = shiftClock(realm.kinit(), 48 * 3600);
    expect(await firstValueFrom(ask(signing(), server.url, 'one'))).to.equal('expiredTicket');
  });

  it('names a clock skew', async () => {
    process.env['KRB5CCNAME'] = shiftClock(realm.kinit(), 3600);
    expect(await firstValueFrom(ask(signing(), server.url, 'one'))).to.equal('clockSkew');
  });

  it('names a KDC that cannot be reached', async () => {
    process.env['KRB5CCNAME'] = realm.kinit();
    process.env['KRB5_CONFIG'] = folder.write('other.conf', krb5Conf(await freePort()));
    expect(await firstValueFrom(ask(signing(), server.url, 'one'))).to.equal('kdcUnreachable');
  });

  it('names the package kerberos if it is not installed', async () => {
    expect(await firstValueFrom(ask(negotiate(), server.url, 'one'))).to.equal('kerberosMissing');
  });

  it('does not use the response of an impostor', async () => {
    process.env['KRB5CCNAME'] = realm.kinit();
    for (const proof of [undefined, 'Negotiate', 'Negotiate oRQwEqADCgEAoQsGCSqGSIb3EgECAg==']) {
      const impostor = await httpServer((request, response) => {
        const isSigned = request.headers.authorization !== undefined;
        response.statusCode = isSigned ? 200 : 401;
        const header = isSigned ? proof : 'Negotiate';
        if (header !== undefined) response.setHeader('www-authenticate', header);
        response.end('lies');
      });
      const options = { service: 'HTTP@localhost' };
      expect(await firstValueFrom(ask(signing(options), impostor.url, 'one'))).to.equal('serverNotVerified');
      await impostor.close();
    }
  });

  it('uses the fallback without a ticket, only on request', async () => {
    const env = { ...realm.env, NTLM_USER_FILE: folder.write('users', 'CONTOSO:sara:hush\n') };
    const directives = ['GssapiAllowedMech ntlmssp', 'GssapiConnectionBound On'];
    const both = await apache(folder, { env, directives, upstream: upstream.url });
    const fallback = ntlm({ username: 'CONTOSO\\sara', password: 'hush' });
    expect(await firstValueFrom(ask(signing({ fallback }), both.url, 'one'))).to.equal('200 you sent 3');
    expect(await firstValueFrom(ask(signing(), both.url, 'one'))).to.equal('noCredentials');
    await both.close();
  });
});
