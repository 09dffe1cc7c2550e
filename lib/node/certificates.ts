import type { SecureContext } from 'node:tls';
import { defined } from '../core/defined.ts';
import { invalidSecret } from '../core/options.ts';

/** A certificate or a key: the text of a PEM file, or the bytes of the file. @inline */
export type Pem = string | Uint8Array;

/** The certificates and keys of a client. */
interface Certificates {
  readonly ca?: Pem | readonly Pem[];
  readonly cert?: Pem;
  readonly key?: Pem;
  readonly pfx?: Uint8Array;
  readonly passphrase?: string;
}

const EXPECTED = {
  ca: 'certificates as PEM',
  cert: 'a certificate as PEM',
  key: 'the private key of cert as PEM, and passphrase its password',
  pfx: 'the bytes of a PKCS #12 file, and passphrase its password',
};

/**
 * Returns the certificates and keys as TLS reads them; undefined if there are none.
 *
 * @throws TypeError that names the part that cannot be read, without its value.
 */
export function secureContextOf({ ca, cert, key, pfx, passphrase }: Certificates): SecureContext | undefined {
  const given = defined({ ca, cert, key, pfx, passphrase });
  if (Object.keys(given).length === 0) return undefined;
  if ((cert === undefined) !== (key === undefined))
    throw invalidSecret(cert === undefined ? 'cert' : 'key', 'given: cert and key belong together');
  // OpenSSL ignores authorities that it cannot read.
  if (ca !== undefined && !(Array.isArray(ca) ? ca : [ca]).every(isPem))
    throw invalidSecret('ca', EXPECTED.ca);
  for (const name of ['cert', 'key', 'pfx'] as const)
    if (given[name] !== undefined) createContext(name, { [name]: given[name], ...defined({ passphrase }) });
  return createContext('key', given);
}

function isPem(part: unknown): boolean {
  try {
    const { X509Certificate } = process.getBuiltinModule('node:crypto');
    // It reads binary certificates, too.
    return (
      Buffer.from(part as Pem).includes('-----BEGIN ') && new X509Certificate(part as Pem).raw.length > 0
    );
  } catch {
    return false;
  }
}

/** The error of the parser can quote its input. */
function createContext(name: keyof typeof EXPECTED, parts: object): SecureContext {
  try {
    return process.getBuiltinModule('node:tls').createSecureContext(parts);
  } catch {
    throw invalidSecret(name, EXPECTED[name]);
  }
}
