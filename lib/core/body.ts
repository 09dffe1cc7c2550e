import { map, type Observable, reduce } from 'rxjs';
import { DecodeError } from './errors.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { HttpResponse } from './transport.ts';

/**
 * Returns an Observable that emits the whole body as one text, once it is complete, and completes.
 *
 * The body is UTF-8, with or without a byte order mark; bytes that are not become U+FFFD. It errors with a
 * {@link NetworkError} when the body breaks off, and with a {@link DecodeError} when it is larger than
 * `maxBytes`; the rest is not read then.
 *
 * @param subject What the body is, for the error.
 * @param maxBytes @default 32 MiB
 */
export function readText(
  response: HttpResponse,
  subject: string,
  maxBytes: number = DEFAULT_LIMITS.responseBytes,
): Observable<string> {
  return response.body$.pipe(
    reduce<Uint8Array, Read | undefined>((read = { chunks: [], length: 0 }, chunk) => {
      read.length += chunk.length;
      if (read.length > maxBytes) {
        throw new DecodeError(subject, { path: '', expected: `at most ${maxBytes} bytes`, actual: 'more' });
      }
      read.chunks.push(chunk);
      return read;
    }, undefined),
    map((read) => (read === undefined ? '' : decodeText(read))),
  );
}

const UTF_8 = new TextDecoder();

/** What was read of a body. */
interface Read {
  readonly chunks: Uint8Array[];
  length: number;
}

function decodeText({ chunks, length }: Read): string {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return UTF_8.decode(first);
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return UTF_8.decode(all);
}
