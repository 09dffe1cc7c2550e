import { hostName, type AllowedHosts } from '../../core/hosts.ts';
import { httpUrl, parseUrl } from '../../core/httpUrl.ts';
import { type AutodiscoverAttempt, type AutodiscoverFormat } from '../protocol/errors.ts';

/** The two parts of an SMTP address. */
export interface MailAddress {
  readonly local: string;
  /** A host name, in the form that URLs have. */
  readonly domain: string;
}

/** No blanks, no invisible characters, and one at sign. */
const ADDRESS = /^([^\s@\p{C}]+)@([^\s@\p{C}]+)$/u;

/** Returns the parts of an SMTP address, or undefined for another text. */
export function mailAddress(text: string): MailAddress | undefined {
  const [, local, host] = ADDRESS.exec(text) ?? [];
  const domain = host === undefined ? undefined : hostName(host);
  return local === undefined || domain === undefined ? undefined : { local, domain };
}

/** Returns an SMTP address as text. */
export function formatAddress({ local, domain }: MailAddress): string {
  return `${local}@${domain}`;
}

/** One request of a lookup. */
export interface AutodiscoverStep {
  readonly format: AutodiscoverFormat;
  readonly url: string;
  readonly address: MailAddress;
}

/** The result of a step. */
export type AutodiscoverResult =
  | { readonly type: 'settings'; readonly ewsUrls: readonly string[] }
  | { readonly type: 'redirectUrl'; readonly url: string }
  | { readonly type: 'redirectAddress'; readonly address: string }
  | { readonly type: 'failed'; readonly reason: string; readonly cause?: unknown };

/** The state of a lookup. */
export interface AutodiscoverSearch {
  /** The remaining steps, the next one first. */
  readonly steps: readonly [AutodiscoverStep, ...AutodiscoverStep[]];
  readonly tried: readonly AutodiscoverAttempt[];
  /** How many redirects were followed; `mostRedirects` bounds them. */
  readonly redirects: number;
  readonly mostRedirects: number;
  /** The keys of all steps so far, so that none is repeated. */
  readonly planned: readonly string[];
}

/** The next action of a lookup. */
type AutodiscoverDecision =
  | { readonly type: 'found'; readonly url: string }
  | { readonly type: 'continue'; readonly search: AutodiscoverSearch }
  | { readonly type: 'fail'; readonly tried: readonly AutodiscoverAttempt[] };

/** [EWS] RedirectUrl (POX): the documented bound. */
const MOST_REDIRECTS = 10;

/**
 * Returns the first state of a lookup: both endpoints on both hosts of the domain, JSON first.
 *
 * @param mostRedirects How many redirects are followed. @default 10
 */
export function beginAutodiscover(
  address: MailAddress,
  mostRedirects: number = MOST_REDIRECTS,
): AutodiscoverSearch {
  const steps = stepsFor(address);
  return { steps, tried: [], redirects: 0, mostRedirects, planned: steps.map(keyOf) };
}

/**
 * Returns the next action after the result of the first step: a pure function.
 *
 * A URL of the web services, a redirect, and the domain of another address are used only if `isAllowed` says
 * so. Otherwise the attempt is recorded with the reason, and the next step follows.
 *
 * @see [EWS] Autodiscover for Exchange
 */
export function decideAutodiscover(
  search: AutodiscoverSearch,
  result: AutodiscoverResult,
  isAllowed: AllowedHosts,
): AutodiscoverDecision {
  const [step] = search.steps;
  const giveUp = (reason: string, cause?: unknown): AutodiscoverDecision =>
    proceed(search, step, { reason, ...(cause === undefined ? {} : { cause }) });

  switch (result.type) {
    case 'failed':
      return giveUp(result.reason, result.cause);
    case 'settings': {
      const url = httpUrl(result.ewsUrls.find(isAllowed) ?? '');
      if (url !== undefined) return { type: 'found', url: url.href };
      const [refused] = result.ewsUrls;
      return giveUp(refused === undefined ? 'names no URL of the web services' : `names ${refusal(refused)}`);
    }
    case 'redirectUrl': {
      const url = httpUrl(result.url);
      if (url === undefined || !isAllowed(url.href)) return giveUp(`redirects to ${refusal(result.url)}`);
      return redirect(search, step, [{ ...step, url: url.href }]);
    }
    case 'redirectAddress': {
      const address = mailAddress(result.address);
      if (address === undefined) return giveUp('redirects to what is no address');
      const home = `https://${address.domain}/`;
      if (!isAllowed(home)) return giveUp(`redirects to an address at ${refusal(home)}`);
      return redirect(search, step, stepsFor(address));
    }
  }
}

function redirect(
  search: AutodiscoverSearch,
  step: AutodiscoverStep,
  targets: readonly AutodiscoverStep[],
): AutodiscoverDecision {
  const { redirects, mostRedirects } = search;
  if (redirects === mostRedirects) {
    return proceed(search, step, { reason: `redirects once more, after ${mostRedirects} times` });
  }
  const fresh = targets.filter((target) => !search.planned.includes(keyOf(target)));
  const [first] = fresh;
  if (first === undefined) return proceed(search, step, { reason: 'redirects to what is asked anyway' });
  return proceed(search, step, { reason: `redirects to ${hostOf(first.url)}` }, fresh);
}

/** Records the result of the step, and puts the steps that it led to before the remaining ones. */
function proceed(
  search: AutodiscoverSearch,
  { format, url }: AutodiscoverStep,
  outcome: { readonly reason: string; readonly cause?: unknown },
  fresh: readonly AutodiscoverStep[] = [],
): AutodiscoverDecision {
  const tried = [...search.tried, { format, host: hostOf(url), ...outcome }];
  const [next, ...rest] = [...fresh, ...search.steps.slice(1)];
  if (next === undefined) return { type: 'fail', tried };
  const redirects = search.redirects + (fresh.length === 0 ? 0 : 1);
  const planned = [...search.planned, ...fresh.map(keyOf)];
  return { type: 'continue', search: { ...search, steps: [next, ...rest], tried, redirects, planned } };
}

/**
 * The address is in the path, with an unescaped at sign: Exchange also reads it in the query, grommunio does
 * not.
 */
function stepsFor(address: MailAddress): [AutodiscoverStep, ...AutodiscoverStep[]] {
  const { local, domain } = address;
  const json = `/autodiscover/autodiscover.json/v1.0/${encodeURIComponent(local)}@${domain}?Protocol=EWS`;
  const pox = '/autodiscover/autodiscover.xml';
  return [
    { format: 'json', url: `https://autodiscover.${domain}${json}`, address },
    { format: 'json', url: `https://${domain}${json}`, address },
    { format: 'pox', url: `https://autodiscover.${domain}${pox}`, address },
    { format: 'pox', url: `https://${domain}${pox}`, address },
  ];
}

function keyOf({ format, url, address }: AutodiscoverStep): string {
  return `${format} ${url} ${formatAddress(address)}`;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function refusal(url: string): string {
  const read = parseUrl(url);
  if (read === undefined) return 'what is no URL';
  const { protocol, hostname } = read;
  if (protocol !== 'https:')
    return `${hostname === '' ? 'what is no address on the web' : hostname} without https`;
  return `${hostname}, which is not allowed`;
}
