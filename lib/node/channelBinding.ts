import { createHash } from 'node:crypto';

/** Signature algorithms whose hash function is not replaced with SHA-256, by their identifiers in DER. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d01010e', 'sha224'], // sha224WithRSAEncryption
  ['2a864886f70d01010c', 'sha384'], // sha384WithRSAEncryption
  ['2a864886f70d01010d', 'sha512'], // sha512WithRSAEncryption
  ['2a8648ce3d040301', 'sha224'], // ecdsa-with-SHA224
  ['2a8648ce3d040303', 'sha384'], // ecdsa-with-SHA384
  ['2a8648ce3d040304', 'sha512'], // ecdsa-with-SHA512
  ['608648016503040204', 'sha224'], // a parameter of RSASSA-PSS, like the following
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);
const RSASSA_PSS = '2a864886f70d01010a';

/**
 * Returns the binding of a sign-in to a TLS connection: the data of `tls-server-end-point`.
 *
 * The certificate is hashed with the hash function of its signature, and with SHA-256 if that is MD5 or
 * SHA-1. If the signature has none, RFC 5929 leaves the binding undefined; Windows uses SHA-256, and so does
 * this function.
 *
 * @see [RFC 5929] The tls-server-end-point Channel Binding Type
 * @param certificate The certificate of the server, in DER.
 */
export function channelBinding(certificate: Uint8Array): Buffer {
  const digest = createHash(signatureHash(Buffer.from(certificate)))
    .update(certificate)
    .digest();
  return Buffer.concat([Buffer.from('tls-server-end-point:'), digest]);
}

/** Returns the name of the hash function for a certificate. */
function signatureHash(certificate: Buffer): string {
  // A certificate has three members: the signed part, the algorithm, the signature.
  const [, algorithm] = childrenOf(certificate);
  const [identifier, parameters] = childrenOf(algorithm);
  if (nameOf(identifier) !== RSASSA_PSS) return HASHES.get(nameOf(identifier)) ?? 'sha256';
  // The hash algorithm is member 0 of the parameters; if it is left out, it is SHA-1.
  const [first] = childrenOf(parameters);
  const [hashAlgorithm] = first?.[0] === 0xa0 ? childrenOf(first) : [];
  return HASHES.get(nameOf(childrenOf(hashAlgorithm)[0])) ?? 'sha256';
}

function nameOf(identifier: Buffer | undefined): string {
  return (identifier && contentOf(identifier)?.toString('hex')) ?? '';
}

/** Returns the elements inside an element of DER; none if it is cut short. */
function childrenOf(element: Buffer | undefined): readonly Buffer[] {
  const content = element && contentOf(element);
  const children: Buffer[] = [];
  let rest = content ?? Buffer.alloc(0);
  while (rest.length > 0) {
    const inner = contentOf(rest);
    if (inner === undefined) return [];
    const length = inner.byteOffset - rest.byteOffset + inner.length;
    children.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return children;
}

/** Returns the content of the element at the beginning of some bytes; undefined if it is cut short. */
function contentOf(bytes: Buffer): Buffer | undefined {
  const first = bytes[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = 2 + lengthBytes;
  if (lengthBytes > 4 || bytes.length < start) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  return start + length > bytes.length ? undefined : bytes.subarray(start, start + length);
}
