import { beforeQuery, excerpt } from '../core/text.ts';

/** The server has ended a subscription before the subscriber did, and the caller wants that to be an error. */
export class EndedError extends Error {
  readonly _tag = 'EndedError';
  override readonly name: string = 'EndedError';
  /** The path of the subscription on the server, without query: at most 300 characters. */
  readonly href: string;

  constructor(resource: string, self: string, how: string) {
    const href = excerpt(beforeQuery(self), 300);
    super(`the ${resource} ${href} was ended: ${how}. Subscribe again for a new one.`);
    this.href = href;
  }
}
