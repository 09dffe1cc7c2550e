import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channelBinding } from '../../lib/node/channelBinding.ts';

/** Creates a self-signed certificate, in DER. */
function certificate(key: readonly string[], signature: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'rxchange-binding-'));
  const file = join(folder, 'cert.pem');
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-nodes', '-days', '1', '-subj', '/CN=rxchange specs', '-newkey', ...key],
        ...[...signature, '-keyout', join(folder, 'key.pem'), '-out', file],
      ],
      { stdio: 'pipe' },
    );
    return new X509Certificate(readFileSync(file)).raw;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const RSA = ['rsa:1024'];
const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
const PSS = ['-sigopt', 'rsa_padding_mode:pss'];

describe('channelBinding', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[], string])[] = [
    ['RSA with MD5', RSA, ['-md5'], 'sha256'],
    ['RSA with SHA-1', RSA, ['-sha1'], 'sha256'],
    ['RSA with SHA-224', RSA, ['-sha224'], 'sha224'],
    ['RSA with SHA-256', RSA, ['-sha256'], 'sha256'],
    ['RSA with SHA-384', RSA, ['-sha384'], 'sha384'],
    ['RSA with SHA-512', RSA, ['-sha512'], 'sha512'],
    ['ECDSA with SHA-1', EC, ['-sha1'], 'sha256'],
    ['ECDSA with SHA-256', EC, ['-sha256'], 'sha256'],
    ['ECDSA with SHA-384', EC, ['-sha384'], 'sha384'],
    ['ECDSA with SHA-512', EC, ['-sha512'], 'sha512'],
    ['RSA-PSS with SHA-1', RSA, ['-sha1', ...PSS], 'sha256'],
    ['RSA-PSS with SHA-256', RSA, ['-sha256', ...PSS], 'sha256'],
    ['RSA-PSS with SHA-384', RSA, ['-sha384', ...PSS], 'sha384'],
    ['Ed25519', ['ed25519'], [], 'sha256'],
  ];
  for (const [name, key, signature, hash] of cases) {
    it(`hashes a certificate signed by ${name} with ${hash}`, () => {
      const der = certificate(key, signature);
      const digest = createHash(hash).update(der).digest('hex');
      const binding = channelBinding(der);
      expect(binding.subarray(0, 21).toString()).to.equal('tls-server-end-point:');
      expect(binding.subarray(21).toString('hex')).to.equal(digest);
    });
  }

  it('hashes what is no certificate with sha256', () => {
    const der = certificate(EC, ['-sha384']);
    for (const length of [0, 1, 2, 3, 5, 60, der.length - 1]) {
      const cut = der.subarray(0, length);
      const digest = createHash('sha256').update(cut).digest('hex');
      expect(channelBinding(cut).subarray(21).toString('hex')).to.equal(digest);
    }
  });
});
