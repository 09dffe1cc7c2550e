import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { inspect, promisify } from 'node:util';
import { NetworkError } from '../../lib/core/errors.ts';
import { nodeTransport, type NodeTransportOptions } from '../../lib/node/nodeTransport.ts';
import { authority, type Authority, type IssuedCertificate, PASSPHRASE } from '../support/net/authority.ts';
import { outcomeOf } from '../support/net/outcomeOf.ts';
import { certificateFor, type KeyAndCertificate } from '../support/net/tls.ts';

describe('nodeTransport: certificates', () => {
  let own: Authority;
  let other: Authority;
  let valid: IssuedCertificate;
  let server: https.Server | undefined;

  before(() => {
    own = authority();
    other = authority();
    valid = own.issue(['localhost']);
  });
  after(() => {
    own.remove();
    other.remove();
  });
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  /** Starts a server, and returns its URL. */
  const start = async ({ key, cert }: KeyAndCertificate, more: https.ServerOptions = {}) => {
    server = https.createServer({ key, cert, ...more }, (_, response) => response.end());
    const listening = server;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return `https://localhost:${(listening.address() as AddressInfo).port}/`;
  };

  it('trusts the authorities of the option ca', async () => {
    expect(await outcomeOf(await start(valid), { ca: own.ca })).to.equal(200);
    expect(await outcomeOf(await start(valid), { ca: [other.ca, Buffer.from(own.ca)] })).to.equal(200);
  });

  it('trusts the file that NODE_EXTRA_CA_CERTS names', async () => {
    const url = await start(valid);
    const folder = mkdtempSync(join(tmpdir(), 'rxchange-extra-'));
    const file = join(folder, 'ca.pem');
    writeFileSync(file, own.ca);
    const script = `
      import { nodeTransport } from ${JSON.stringify(new URL('../../lib/node/nodeTransport.ts', import.meta.url).href)};
      nodeTransport()({ method: 'GET', url: ${JSON.stringify(url)} }).subscribe(({ status }) => console.log(status));`;
    const args = ['--import', 'ts-blank-space/register', '--input-type=module', '--eval', script];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: file, NODE_V8_COVERAGE: '' };
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    expect(stdout).to.equal('200\n');
    rmSync(folder, { recursive: true });
  });

  it('sends the server name of the option, and checks it', async () => {
    const url = await start(own.issue(['mail.contoso.com']));
    expect(await outcomeOf(url, { ca: own.ca, servername: 'mail.contoso.com' })).to.equal(200);
    expect(await outcomeOf(url, { ca: own.ca, servername: 'other.contoso.com' })).to.include({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  const refused: readonly [
    title: string,
    certificate: () => KeyAndCertificate,
    options: (own: Authority) => NodeTransportOptions,
    code: string,
    advice: RegExp,
  ][] = [
    [
      'of an unknown authority',
      () => valid,
      () => ({}),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      /unknown authority: pass that as ca to nodeTransport\(\) .*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'that is self-signed',
      () => certificateFor(['localhost']),
      () => ({}),
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      /self-signed: if it is yours, pass it as ca .*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'that has expired',
      () => own.issue(['localhost'], -1),
      ({ ca }) => ({ ca }),
      'CERT_HAS_EXPIRED',
      /has expired: renew it on the server/,
    ],
    [
      'of another host',
      () => own.issue(['mail.contoso.com']),
      ({ ca }) => ({ ca }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /for other names: use one of them in the URL, or as servername/,
    ],
  ];
  for (const [title, certificate, options, code, advice] of refused) {
    it(`refuses a certificate ${title}, and says what to do`, async () => {
      const error = await outcomeOf(await start(certificate()), options(own));
      expect(error).to.be.instanceOf(NetworkError).and.to.include({ code });
      expect(error)
        .to.have.property('message')
        .that.matches(advice)
        .and.matches(/GET https:\/\/localhost:/);
    });
  }

  it('says that a server has only old versions of TLS', async () => {
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const error = await outcomeOf(await start(valid, old), { ca: own.ca });
    expect(error)
      .to.have.property('message')
      .that.matches(/enable TLS 1.2 on the server/);
  });

  describe('of the client', () => {
    const required = (more: https.ServerOptions = {}): Promise<string> =>
      start(valid, { requestCert: true, rejectUnauthorized: true, ca: own.ca, ...more });

    it('are sent from cert and key, and from pfx', async () => {
      const url = await required();
      const { cert, key, pfx } = own.issue(['sara']);
      expect(await outcomeOf(url, { ca: own.ca, cert, key })).to.equal(200);
      expect(await outcomeOf(url, { ca: own.ca, pfx, passphrase: PASSPHRASE })).to.equal(200);
    });

    it('are required by an error that says so', async () => {
      const missing = await outcomeOf(await required(), { ca: own.ca });
      expect(missing)
        .to.have.property('message')
        .that.matches(/requires a client certificate: pass cert and key/);
      const older = await outcomeOf(await required({ maxVersion: 'TLSv1.2' }), { ca: own.ca });
      expect(older)
        .to.have.property('message')
        .that.matches(/may require a client certificate/);
    });
  });

  const invalid: readonly [title: string, options: object, message: RegExp][] = [
    ['ca that is not PEM', { ca: 'hush' }, /^ca must be certificates as PEM$/],
    ['cert without key', { cert: 'hush' }, /^key must be given: cert and key belong together$/],
    ['key without cert', { key: 'hush' }, /^cert must be given/],
    ['cert that is not PEM', { cert: 'hush', key: 'hush' }, /^cert must be a certificate as PEM$/],
    ['a PKCS #12 file that is none', { pfx: Buffer.from('hush') }, /^pfx must be the bytes/],
    ['an unknown name', { servernames: 'a' }, /did you mean servername\?$/],
    ['a server name that is none', { servername: 'a b' }, /^servername must be a host name/],
    ['rejectUnauthorized', { rejectUnauthorized: false }, /write ca, with the certificate of the server/],
  ];
  for (const [title, options, message] of invalid) {
    it(`throws for ${title}, without secrets`, () => {
      expect(() => nodeTransport(options))
        .to.throw(TypeError, message)
        .and.satisfy((error: unknown) => !inspect(error).split('\n', 1)[0]?.includes('hush'));
    });
  }

  it('throws for a key of another certificate, or with another password', () => {
    const { cert, pfx } = own.issue(['sara']);
    const { key } = other.issue(['sara']);
    expect(() => nodeTransport({ cert, key })).to.throw(TypeError, /^key must be the private key of cert/);
    expect(() => nodeTransport({ pfx, passphrase: 'wrong' })).to.throw(TypeError, /^pfx must be/);
  });
});
