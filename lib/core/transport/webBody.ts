import { noop, type Observer } from 'rxjs';

/**
 * Reads the body of a response, or none.
 *
 * Returns a function that stops reading: the bodies of some fetches continue after an abort.
 */
export type ReadBody = (body: Response['body'], reader: Observer<Uint8Array>) => () => void;

/** Reads a web stream by its reader: Safari has no iterator of it. */
export const readWebBody: ReadBody = (body, { next, complete, error }) => {
  if (body === null) {
    complete();
    return noop;
  }
  const reader = body.getReader();
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      next(value);
    }
  };
  read().then(complete, error);
  return () => {
    reader.cancel().catch(noop);
  };
};
