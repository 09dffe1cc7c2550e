import { NetworkError } from '../core/errors.ts';
import type { AutodiscoverAttempt } from './autodiscoverCourse.ts';

/**
 * No server of the domain told where the web services are.
 *
 * The message and `tried` tell each server that was asked and what it came to.
 */
export class AutodiscoverError extends Error {
  readonly _tag = 'AutodiscoverError';
  override readonly name: string = 'AutodiscoverError';
  /** The domain of the address. */
  readonly domain: string;
  /** What was tried, in order. */
  readonly tried: readonly AutodiscoverAttempt[];
  /** Whether none of the servers could be reached: there may be no network just now. */
  readonly isUnreachable: boolean;

  constructor(domain: string, tried: readonly AutodiscoverAttempt[]) {
    const attempts = tried.map(
      ({ kind, host, reason }, index) =>
        `${index + 1}. ${host} (${kind === 'json' ? 'JSON' : 'XML'}) ${reason}`,
    );
    super(
      `no web services were found for ${domain}: ${attempts.join('; ')}. ` +
        'Give exchange() the URL, or allow the host that is not allowed with allowRedirectTo.',
      { cause: tried.findLast(({ cause }) => cause !== undefined)?.cause },
    );
    this.domain = domain;
    this.tried = tried;
    this.isUnreachable = tried.every(({ cause }) => cause instanceof NetworkError);
  }
}
