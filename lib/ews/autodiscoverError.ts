import { keptCause, NetworkError } from '../core/errors.ts';
import { excerpt } from '../core/text.ts';
import type { AutodiscoverAttempt } from './autodiscoverCourse.ts';

/** How many characters the message says about the attempts: redirects can make dozens of them. */
const LONGEST_ACCOUNT = 1600;
/** How many characters a reason has at most. */
const LONGEST_REASON = 300;

/**
 * No server of the domain said where the web services are.
 *
 * `tried` has each server that was asked, and what it came to; the message has as many as fit in 1,600 characters.
 * A cause that is not an error of this library is described without its text.
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

  constructor(domain: string, attempted: readonly AutodiscoverAttempt[]) {
    const tried = attempted.map(({ kind, host, reason, cause }): AutodiscoverAttempt => {
      const kept = keptCause(cause);
      return {
        kind,
        host: excerpt(host),
        reason: excerpt(reason, LONGEST_REASON),
        ...(kept === undefined ? {} : { cause: kept }),
      };
    });
    const attempts = tried.map(
      ({ kind, host, reason }, index) =>
        `${index + 1}. ${host} (${kind === 'json' ? 'JSON' : 'XML'}) ${reason}`,
    );
    super(
      `no web services were found for ${excerpt(domain)}: ${excerpt(attempts.join('; '), LONGEST_ACCOUNT)}. ` +
        'Give exchange() the URL, or allow the host that is not allowed with allowRedirectTo.',
      { cause: tried.findLast(({ cause }) => cause !== undefined)?.cause },
    );
    this.domain = domain;
    this.tried = tried;
    this.isUnreachable = tried.every(({ cause }) => cause instanceof NetworkError);
  }
}
