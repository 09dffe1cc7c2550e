/** The ids of the attributes that this library reads or writes. [MS-NLMP] AV_PAIR */
export const AV = {
  end: 0,
  flags: 6,
  timestamp: 7,
  targetName: 9,
  channelBindings: 10,
} as const;

/** The attributes of a server, by their ids, in the server's order. */
export type AvPairs = ReadonlyMap<number, Uint8Array>;

/** Returns the attributes in the target information of a challenge; undefined if they are cut short. */
export function readAvPairs(bytes: Buffer): AvPairs | undefined {
  const pairs = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const id = bytes.readUInt16LE(at);
    if (id === AV.end) return pairs;
    const start = at + 4;
    at = start + bytes.readUInt16LE(at + 2);
    if (at > bytes.length) return undefined;
    pairs.set(id, bytes.subarray(start, at));
  }
  return bytes.length === 0 ? pairs : undefined;
}

/** Returns the attributes as target information, with its end. */
export function writeAvPairs(pairs: AvPairs): Buffer {
  const parts = [...pairs].flatMap(([id, value]) => [head(id, value.length), value]);
  return Buffer.concat([...parts, head(AV.end, 0)]);
}

function head(id: number, length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(id);
  bytes.writeUInt16LE(length, 2);
  return bytes;
}
