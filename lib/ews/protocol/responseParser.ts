import { Observable, type OperatorFunction, takeWhile, tap, timer } from 'rxjs';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import { envelopeReader, type ParserOptions } from './parser.ts';
import type { EwsMessage } from './messages.ts';

/** Options of {@link parseResponse}. */
export interface ResponseOptions extends ParserOptions, Pick<Limits, 'drainBytes' | 'drainSeconds'> {
  /** Called with each message as soon as the envelope is complete, while the body is still being read. */
  readonly onMessage?: (message: EwsMessage) => void;
}

/**
 * Returns an operator that reads the first SOAP envelope of a response, emits its messages, and completes.
 *
 * Everything after that envelope is ignored, even an error. The rest of the body is drained so that the HTTP
 * connection can be reused, for at most `drainBytes` and `drainSeconds`. It errors with a {@link DecodeError}
 * for a body without a complete envelope, and emits nothing for a blank body.
 */
export function parseResponse(
  options: ResponseOptions = {},
): OperatorFunction<Uint8Array, readonly EwsMessage[]> {
  const { drainBytes = DEFAULT_LIMITS.drainBytes, drainSeconds = DEFAULT_LIMITS.drainSeconds } = options;
  return (chunks$) =>
    new Observable((subscriber) => {
      const decoder = new TextDecoder();
      let response: readonly EwsMessage[] | undefined;
      let ignoredBytes = 0;

      const finish = (): void => {
        if (response !== undefined) subscriber.next(response);
        subscriber.complete();
      };

      const reader = envelopeReader((messages) => {
        response = messages;
        if (options.onMessage !== undefined) messages.forEach(options.onMessage);
        subscriber.add(timer(drainSeconds * 1000).subscribe(finish));
        return false;
      }, options);

      const isMoreWanted = (chunk: Uint8Array): boolean => {
        if (response === undefined) {
          reader.read(decoder.decode(chunk, { stream: true }));
          return true;
        }
        ignoredBytes += chunk.length;
        return ignoredBytes <= drainBytes;
      };

      const end = (): void => {
        reader.read(decoder.decode());
        reader.end();
      };

      subscriber.add(
        chunks$.pipe(tap({ complete: end }), takeWhile(isMoreWanted)).subscribe({
          complete: finish,
          error: (error: unknown) => {
            if (response === undefined) subscriber.error(error);
            else finish();
          },
        }),
      );
    });
}
