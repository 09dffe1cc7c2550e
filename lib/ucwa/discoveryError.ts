import { describeUrl, HttpError, NetworkError } from '../core/errors.ts';

/** Why discovery found nothing at one URL. */
export interface DiscoveryFailure {
  readonly url: string;
  readonly cause: unknown;
}

/** None of the hosts of a domain led to UCWA. */
export class DiscoveryError extends Error {
  readonly _tag = 'DiscoveryError';
  override readonly name: string = 'DiscoveryError';
  readonly domain: string;
  /** What was tried, in that order; the last of them is the `cause` as well. */
  readonly failures: readonly DiscoveryFailure[];
  /** Whether waiting may help: at each URL there was no answer, or one that says so. */
  readonly isTransient: boolean;

  constructor(domain: string, failures: readonly DiscoveryFailure[]) {
    const told = failures.map(({ url, cause }) => `${describeUrl(url)}: ${summaryOf(cause)}`);
    super(`no UCWA server was found for ${domain}; check the name and the network. ${told.join('; ')}`, {
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

/** Errors of this library tell no secrets; of others only the name is sure to be none. */
function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  return '_tag' in error ? error.message : error.name;
}
