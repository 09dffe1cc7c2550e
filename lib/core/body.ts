import { defer, last, map, type Observable, tap } from 'rxjs';
import { DecodeError } from './errors.ts';
import type { HttpResponse } from './transport.ts';

/** How large a body may be that is read whole, in bytes. */
export const MAX_BODY_BYTES: number = 32 * 1024 * 1024;

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
  maxBytes: number = MAX_BODY_BYTES,
): Observable<string> {
  return defer(() => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    return response.body$.pipe(
      tap((chunk) => {
        length += chunk.length;
        if (length > maxBytes) {
          throw new DecodeError(subject, { path: '', expected: `at most ${maxBytes} bytes`, actual: 'more' });
        }
        chunks.push(chunk);
      }),
      last(null, undefined),
      map(() => decodeText(chunks, length)),
    );
  });
}

function decodeText(chunks: readonly Uint8Array[], length: number): string {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return new TextDecoder().decode(first);
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return new TextDecoder().decode(all);
}
