/**
 * A server that can be simulated.
 *
 * - `exchange`: Exchange Server as documented, with streams as recorded.
 * - `grommunio`: grommunio 3.10.
 * - `grommunio-3.9`: grommunio 3.9 and earlier. The end of a stream cancels its subscriptions, and a stream
 *   names lost subscriptions in a message of class Success.
 *
 * @inline
 */
export type EwsDialect = 'exchange' | 'grommunio' | 'grommunio-3.9';

/** Returns whether a dialect is a version of grommunio. */
export function isGrommunio(dialect: EwsDialect): boolean {
  return dialect !== 'exchange';
}

/** An EWS error in place of the response to an operation. */
export class EwsErrorResponse extends Error {
  override readonly name: string = 'EwsErrorResponse';
  /** `error`: a response message of class Error. `fault`: a SOAP fault. */
  readonly type: 'error' | 'fault';
  readonly code: string;
  /** The contents of MessageXml. */
  readonly values: Readonly<Record<string, string>>;

  constructor(
    type: 'error' | 'fault',
    code: string,
    message: string,
    values: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.type = type;
    this.code = code;
    this.values = values;
  }
}

/** Returns the id of the `count`-th subscription since the latest of `starts` starts of the server. */
export function subscriptionIdOf(
  dialect: EwsDialect,
  starts: number,
  count: number,
  timeoutMinutes: number,
): string {
  if (!isGrommunio(dialect)) {
    return btoa(
      `mbx01.exchange.example/${String(starts).padStart(4, '0')}/${String(count).padStart(10, '0')}`,
    );
  }
  // Two little-endian numbers, the count and the timeout: after a restart, ids repeat.
  return btoa(String.fromCharCode(...littleEndian(count), ...littleEndian(timeoutMinutes)));
}

/** Returns the watermark after an event of the history, which was forgotten `forgotten` times. */
export function watermarkOf(sequence: number, forgotten: number): string {
  return btoa(`watermark:${String(forgotten).padStart(4, '0')}:${String(sequence).padStart(10, '0')}`);
}

/** Returns the position in the history of a watermark; undefined if it is invalid or forgotten. */
export function sequenceOf(watermark: string, forgotten: number): number | undefined {
  try {
    const digits = /^watermark:(\d{4}):(\d{10})$/.exec(atob(watermark));
    return Number(digits?.[1] ?? Number.NaN) === forgotten ? Number(digits?.[2]) : undefined;
  } catch {
    return undefined;
  }
}

function littleEndian(value: number): readonly number[] {
  return [0, 8, 16, 24].map((bits) => (value >>> bits) & 0xff);
}
