const STATUS_LINE = /^HTTP\/1\.1 /;
const CHUNK_SIZE = /^[0-9a-f]+\r\n/i;

/**
 * Returns a chunk with broken framing: its status line, or the size of its first chunk. Returns undefined if
 * it starts with neither. The content is not changed, because well-formed content is indistinguishable from
 * the server's own.
 */
export function corrupted(piece: Buffer): Buffer | undefined {
  const text = piece.toString('latin1');
  const wrong = STATUS_LINE.test(text) ? 'HTXP' : CHUNK_SIZE.test(text) ? 'z' : undefined;
  if (wrong === undefined) return undefined;
  return Buffer.concat([Buffer.from(wrong), piece.subarray(wrong.length)]);
}
