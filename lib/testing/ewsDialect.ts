/** The families of servers that can be simulated. */
export type EwsDialect = 'exchange' | 'grommunio';

/** An operation that the server refuses, in the protocol's own words. */
export class EwsRefusal extends Error {
  override readonly name: string = 'EwsRefusal';
  /** A fault comes in place of the operation's response. */
  readonly kind: 'error' | 'fault';
  readonly code: string;
  /** What stands in MessageXml. */
  readonly values: Readonly<Record<string, string>>;

  constructor(
    kind: 'error' | 'fault',
    code: string,
    message: string,
    values: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.values = values;
  }
}

/** The id of the `count`-th subscription that a server made since it was started `starts` times. */
export function subscriptionIdOf(dialect: EwsDialect, starts: number, count: number): string {
  if (dialect === 'exchange') {
    return btoa(
      `mbx01.exchange.example/${String(starts).padStart(4, '0')}/${String(count).padStart(10, '0')}`,
    );
  }
  // Eight bytes, little-endian counter first: what is made after a restart gets the ids from before it.
  return btoa(String.fromCharCode(count & 0xff, (count >> 8) & 0xff, 0, 0, 5, 0, 0, 0));
}

/** The watermark behind an event of a mailbox's history, since that was forgotten `forgotten` times. */
export function watermarkOf(sequence: number, forgotten: number): string {
  return btoa(`watermark:${String(forgotten).padStart(4, '0')}:${String(sequence).padStart(10, '0')}`);
}

/** The place in the history that a watermark stands for, or undefined where it is none, or forgotten. */
export function sequenceOf(watermark: string, forgotten: number): number | undefined {
  try {
    const digits = /^watermark:(\d{4}):(\d{10})$/.exec(atob(watermark));
    return Number(digits?.[1] ?? Number.NaN) === forgotten ? Number(digits?.[2]) : undefined;
  } catch {
    return undefined;
  }
}
