import { HttpError, keptCause, NetworkError } from '../core/errors.ts';
import { describeUrl, excerpt } from '../core/text.ts';
import { SignInError } from './signInError.ts';
import { UntrustedLinkError } from './trustedHosts.ts';

/** Why discovery found nothing at one URL. */
export interface DiscoveryFailure {
  /** Without query and fragment, once it is in an error. */
  readonly url: string;
  /** In an error, described without its text if it is not an error of this library. */
  readonly cause: unknown;
}

/** How many characters the message says about the hosts, and about each of them. */
const LONGEST_ACCOUNT = 1600;
const LONGEST_SUMMARY = 400;

/** Errors that discovery ends with, besides those of the core. */
const OWN = [SignInError, UntrustedLinkError];

/** None of the hosts of a domain led to UCWA. */
export class DiscoveryError extends Error {
  readonly _tag = 'DiscoveryError';
  override readonly name: string = 'DiscoveryError';
  readonly domain: string;
  /** What was tried, in that order; the last of them is the `cause` as well. */
  readonly failures: readonly DiscoveryFailure[];
  /** Whether waiting may help: at each URL there was no answer, or one that says so. */
  readonly isTransient: boolean;

  constructor(domain: string, failed: readonly DiscoveryFailure[]) {
    const failures = failed.map(({ url, cause }) => ({
      url: describeUrl(url),
      cause: keptCause(cause, OWN),
    }));
    const told = failures.map(({ url, cause }) => `${url}: ${summaryOf(cause)}`);
    const account = excerpt(told.join('; '), LONGEST_ACCOUNT);
    super(`no UCWA server was found for ${excerpt(domain)}; check the name and the network. ${account}`, {
      cause: failures.at(-1)?.cause,
    });
    this.domain = domain;
    this.failures = failures;
    this.isTransient = failures.every(({ cause }) => mayPass(cause));
  }
}

const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

function mayPass(error: unknown): boolean {
  return (
    error instanceof NetworkError || (error instanceof HttpError && TRANSIENT_STATUSES.has(error.status))
  );
}

/** Of the description of a foreign error its name says enough. */
function summaryOf(kept: Error | undefined): string {
  if (kept === undefined) return 'an unknown error';
  return '_tag' in kept ? excerpt(kept.message, LONGEST_SUMMARY) : kept.name;
}
