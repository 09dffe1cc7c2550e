const STATUS_LINE = /^HTTP\/1\.1 /;
const CHUNK_SIZE = /^[0-9a-f]+\r\n/i;

/**
 * A piece of an answer whose framing is broken: its status line, or the size of its first chunk. Undefined
 * where it begins with neither; the content itself is left alone, for what is well-formed there could not be
 * told from what the server has said.
 */
export function corrupted(piece: Buffer): Buffer | undefined {
  const text = piece.toString('latin1');
  const wrong = STATUS_LINE.test(text) ? 'HTXP' : CHUNK_SIZE.test(text) ? 'z' : undefined;
  if (wrong === undefined) return undefined;
  return Buffer.concat([Buffer.from(wrong), piece.subarray(wrong.length)]);
}
