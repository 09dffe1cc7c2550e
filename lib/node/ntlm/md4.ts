type Mix = (x: number, y: number, z: number) => number;

/** The three rounds: function, constant, shifts, and the order of the words of a block. */
const ROUNDS: readonly (readonly [
  mix: Mix,
  constant: number,
  shifts: readonly [number, number, number, number],
  order: readonly number[],
])[] = [
  [
    (x, y, z) => (x & y) | (~x & z),
    0,
    [3, 7, 11, 19],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  ],
  [
    (x, y, z) => (x & y) | (x & z) | (y & z),
    0x5a827999,
    [3, 5, 9, 13],
    [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  ],
  [
    (x, y, z) => x ^ y ^ z,
    0x6ed9eba1,
    [3, 9, 11, 15],
    [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
  ],
];

const BLOCK_BYTES = 64;

/**
 * Returns the MD4 digest of some bytes. NTLM needs it, and OpenSSL 3 has it only in its legacy provider.
 *
 * @see [RFC 1320]
 */
export function md4(input: Uint8Array): Buffer {
  const padded = Buffer.alloc((Math.floor((input.length + 8) / BLOCK_BYTES) + 1) * BLOCK_BYTES);
  padded.set(input);
  padded[input.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(input.length) * 8n, padded.length - 8);

  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  for (let offset = 0; offset < padded.length; offset += BLOCK_BYTES) {
    const words = [...state] as [number, number, number, number];
    let [a, b, c, d] = words;
    for (const [mix, constant, shifts, order] of ROUNDS) {
      for (const [step, word] of order.entries()) {
        const sum = (a + mix(b, c, d) + padded.readUInt32LE(offset + 4 * word) + constant) >>> 0;
        const shift = shifts[(step % 4) as 0 | 1 | 2 | 3];
        [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
      }
    }
    state.set([a, b, c, d].map((value, index) => value + words[index as 0 | 1 | 2 | 3]));
  }

  const digest = Buffer.alloc(16);
  for (const [index, value] of state.entries()) digest.writeUInt32LE(value, 4 * index);
  return digest;
}
