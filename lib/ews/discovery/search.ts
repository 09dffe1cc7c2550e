import { hostName, type AllowedHosts } from '../../core/hosts.ts';
import { httpUrl, parseUrl } from '../../core/httpUrl.ts';
import { type AutodiscoverAttempt, type AutodiscoverKind } from '../protocol/errors.ts';

/** An SMTP address, in its two parts. */
export interface MailAddress {
  readonly local: string;
  /** A host name, as URLs have it. */
  readonly domain: string;
}

/** No blanks, nothing that cannot be seen, and one at sign. */
const ADDRESS = /^([^\s@\p{C}]+)@([^\s@\p{C}]+)$/u;

/** Reads an SMTP address; undefined for what is none. */
export function mailAddress(text: string): MailAddress | undefined {
  const [, local, host] = ADDRESS.exec(text) ?? [];
  const domain = host === undefined ? undefined : hostName(host);
  return local === undefined || domain === undefined ? undefined : { local, domain };
}

/** Writes an SMTP address. */
export function formatAddress({ local, domain }: MailAddress): string {
  return `${local}@${domain}`;
}

/** One question to one server. */
export interface AutodiscoverStep {
  readonly kind: AutodiscoverKind;
  readonly url: string;
  readonly address: MailAddress;
}

/** What a step came to. */
export type AutodiscoverAnswer =
  | { readonly type: 'settings'; readonly ewsUrls: readonly string[] }
  | { readonly type: 'redirectUrl'; readonly url: string }
  | { readonly type: 'redirectAddress'; readonly address: string }
  | { readonly type: 'failed'; readonly reason: string; readonly cause?: unknown };

/** Where the search stands. */
export interface AutodiscoverSearch {
  /** What is still to be asked, the next one first. */
  readonly steps: readonly [AutodiscoverStep, ...AutodiscoverStep[]];
  readonly tried: readonly AutodiscoverAttempt[];
  /** How many redirects were followed, and how many may be. */
  readonly redirects: number;
  readonly mostRedirects: number;
  /** The steps that were ever planned, so that none is taken twice. */
  readonly planned: readonly string[];
}

/** What to do next. */
type AutodiscoverDecision =
  | { readonly type: 'found'; readonly url: string }
  | { readonly type: 'ask'; readonly course: AutodiscoverSearch }
  | { readonly type: 'fail'; readonly tried: readonly AutodiscoverAttempt[] };

/** The number after which the documentation says to stop. Page: "RedirectUrl (POX)". */
const MOST_REDIRECTS = 10;

/**
 * Returns where the search for an address begins: both endpoints on both hosts of its domain, JSON first.
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
 * Returns what follows from the answer to the first step of a course: a pure function.
 *
 * A URL of the web services, a redirect, and the domain of another address are used only if the rule allows
 * them. A refusal becomes an attempt with its reason, and the next step follows; no step is taken twice. Page: "Autodiscover for Exchange".
 */
export function decideAutodiscover(
  course: AutodiscoverSearch,
  answer: AutodiscoverAnswer,
  isAllowed: AllowedHosts,
): AutodiscoverDecision {
  const [step] = course.steps;
  const giveUp = (reason: string, cause?: unknown): AutodiscoverDecision =>
    proceed(course, step, { reason, ...(cause === undefined ? {} : { cause }) });

  switch (answer.type) {
    case 'failed':
      return giveUp(answer.reason, answer.cause);
    case 'settings': {
      const url = httpUrl(answer.ewsUrls.find(isAllowed) ?? '');
      if (url !== undefined) return { type: 'found', url: url.href };
      const [refused] = answer.ewsUrls;
      return giveUp(refused === undefined ? 'names no URL of the web services' : `names ${refusal(refused)}`);
    }
    case 'redirectUrl': {
      const url = httpUrl(answer.url);
      if (url === undefined || !isAllowed(url.href)) return giveUp(`redirects to ${refusal(answer.url)}`);
      return redirect(course, step, [{ ...step, url: url.href }]);
    }
    case 'redirectAddress': {
      const address = mailAddress(answer.address);
      if (address === undefined) return giveUp('redirects to what is no address');
      const home = `https://${address.domain}/`;
      if (!isAllowed(home)) return giveUp(`redirects to an address at ${refusal(home)}`);
      return redirect(course, step, stepsFor(address));
    }
  }
}

function redirect(
  course: AutodiscoverSearch,
  step: AutodiscoverStep,
  targets: readonly AutodiscoverStep[],
): AutodiscoverDecision {
  const { redirects, mostRedirects } = course;
  if (redirects === mostRedirects) {
    return proceed(course, step, { reason: `redirects once more, after ${mostRedirects} times` });
  }
  const fresh = targets.filter((target) => !course.planned.includes(keyOf(target)));
  const [first] = fresh;
  if (first === undefined) return proceed(course, step, { reason: 'redirects to what is asked anyway' });
  return proceed(course, step, { reason: `redirects to ${hostOf(first.url)}` }, fresh);
}

/** Notes what the step came to, and goes on with what it led to, if anything, and then with the rest. */
function proceed(
  course: AutodiscoverSearch,
  { kind, url }: AutodiscoverStep,
  outcome: { readonly reason: string; readonly cause?: unknown },
  fresh: readonly AutodiscoverStep[] = [],
): AutodiscoverDecision {
  const tried = [...course.tried, { kind, host: hostOf(url), ...outcome }];
  const [next, ...rest] = [...fresh, ...course.steps.slice(1)];
  if (next === undefined) return { type: 'fail', tried };
  const redirects = course.redirects + (fresh.length === 0 ? 0 : 1);
  const planned = [...course.planned, ...fresh.map(keyOf)];
  return { type: 'ask', course: { ...course, steps: [next, ...rest], tried, redirects, planned } };
}

/**
 * The address stands in the path, with its at sign as it is: Exchange also takes it in the query, but
 * grommunio reads it nowhere else.
 */
function stepsFor(address: MailAddress): [AutodiscoverStep, ...AutodiscoverStep[]] {
  const { local, domain } = address;
  const json = `/autodiscover/autodiscover.json/v1.0/${encodeURIComponent(local)}@${domain}?Protocol=EWS`;
  const pox = '/autodiscover/autodiscover.xml';
  return [
    { kind: 'json', url: `https://autodiscover.${domain}${json}`, address },
    { kind: 'json', url: `https://${domain}${json}`, address },
    { kind: 'pox', url: `https://autodiscover.${domain}${pox}`, address },
    { kind: 'pox', url: `https://${domain}${pox}`, address },
  ];
}

function keyOf({ kind, url, address }: AutodiscoverStep): string {
  return `${kind} ${url} ${formatAddress(address)}`;
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
