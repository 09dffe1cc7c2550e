import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyAndCertificate } from './tls.ts';

/** A private authority that issues certificates. */
export interface Authority {
  /** Its own certificate, as PEM. */
  readonly ca: string;
  /** Issues a certificate for these hosts, valid for some days from now; negative days have passed. */
  issue(hosts: readonly string[], days?: number): IssuedCertificate;
  /** Removes its files. */
  remove(): void;
}

/** A key and its certificate, also as one PKCS #12 file. */
export interface IssuedCertificate extends KeyAndCertificate {
  readonly pfx: Buffer;
}

/** The password of the PKCS #12 files. */
export const PASSPHRASE = 'hush';

const CONFIG = `[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
unique_subject = no
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** Creates an authority. */
export function authority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'rxchange-ca-'));
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  writeFileSync(join(folder, 'ca.cnf'), CONFIG);
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'serial'), '01');
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=rxchange CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  return {
    ca: read('ca.pem'),
    issue: (hosts, days = 1) => {
      const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join(',');
      const subject = ['-subj', `/CN=${hosts[0] ?? 'none'}`, '-addext', `subjectAltName=${names}`];
      openssl('req', ...key, ...subject, '-keyout', 'one.key', '-out', 'one.csr');
      const [start, end] = [Math.min(days, 0) * 2, days].map(dateIn);
      const dates = ['-startdate', start, '-enddate', end].map(String);
      const files = ['-in', 'one.csr', '-out', 'one.pem', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
      openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', ...dates, ...files);
      const pair = [
        '-in',
        'one.pem',
        '-inkey',
        'one.key',
        '-out',
        'one.pfx',
        '-passout',
        `pass:${PASSPHRASE}`,
      ];
      openssl('pkcs12', '-export', ...pair);
      return { key: read('one.key'), cert: read('one.pem'), pfx: readFileSync(join(folder, 'one.pfx')) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Returns the time in some days, as OpenSSL writes it. */
function dateIn(days: number): string {
  const date = new Date(Date.now() + days * 86_400_000 - 3_600_000);
  return `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
}
