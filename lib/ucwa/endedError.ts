/** The server has ended a subscription before the subscriber did, and the caller wants that to be an error. */
export class EndedError extends Error {
  readonly _tag = 'EndedError';
  override readonly name: string = 'EndedError';
  /** The path of the subscription on the server. */
  readonly href: string;

  constructor(resource: string, href: string, how: string) {
    super(`the ${resource} ${href} was ended: ${how}. Subscribe again for a new one.`);
    this.href = href;
  }
}
