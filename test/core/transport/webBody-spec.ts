import { expect } from 'chai';
import { readWebBody } from '../../../lib/core/transport/webBody.ts';

/** Resolves to what is reported for a body, in order. */
const reported = (body: Response['body']): Promise<unknown[]> =>
  new Promise((resolve) => {
    const all: unknown[] = [];
    const end = (what: unknown): void => resolve([...all, what]);
    readWebBody(body, { next: (chunk) => all.push(...chunk), complete: () => end('end'), error: end });
  });

describe('readWebBody', () => {
  it('completes without a body', async () => {
    expect(await reported(null)).to.deep.equal(['end']);
  });

  it('reads all chunks of a body', async () => {
    const body = new Blob([new Uint8Array([1, 2]), new Uint8Array([3])]).stream();
    expect(await reported(body)).to.deep.equal([1, 2, 3, 'end']);
  });

  it('reports the error of a body after its chunks', async () => {
    const broken = new Error('broken');
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(new Uint8Array([1])),
      pull: (controller) => controller.error(broken),
    });
    expect(await reported(body)).to.deep.equal([1, broken]);
  });

  it('cancels the body when reading stops', () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => void (isCancelled = true) });
    const ignore = (): void => undefined;
    readWebBody(body, { next: ignore, complete: ignore, error: ignore })();
    expect(isCancelled).to.equal(true);
  });
});
