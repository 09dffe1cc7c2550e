import { noop, type Observer } from 'rxjs';
import { type ReadBody, readWebBody } from './webBody.ts';

/** The members of a Node stream that are used. */
interface NodeBody {
  readonly destroyed: boolean;
  readonly errored: Error | null;
  on(event: 'data', listener: (chunk: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end' | 'close', listener: () => void): this;
  destroy(): void;
}

/** Reads a web stream, or the Node stream that the bodies of node-fetch and cross-fetch are. */
export const readAnyBody: ReadBody = (body, reader) =>
  body === null || 'getReader' in body ? readWebBody(body, reader) : readNodeBody(body, reader);

/** By its events: iteration would take several microtasks per chunk. */
function readNodeBody(body: NodeBody, { next, complete, error }: Observer<Uint8Array>): () => void {
  let isEnded = false;
  const onClose = (): void => {
    if (!isEnded) error(body.errored ?? new Error('the body was closed before its end'));
  };
  // A body that has broken off emits no more events.
  if (body.destroyed) {
    onClose();
    return noop;
  }
  body.on('data', next).on('error', error).on('close', onClose);
  body.on('end', () => {
    isEnded = true;
    complete();
  });
  return () => body.destroy();
}
