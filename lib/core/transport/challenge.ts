import { codeWord, excerpt } from '../text.ts';
import type { HttpHeaders } from './transport.ts';

/** One way to authenticate that a server offers. [RFC 9110, Challenge and Response] */
interface Challenge {
  /** As the server writes it, such as `Bearer`. */
  readonly scheme: string;
  /** By name in lower case; of several with one name the first. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The data after the scheme, such as the message of NTLM; undefined if parameters or nothing follow it. */
  readonly token68?: string;
}

/** No server has so many ways to authenticate; a header of 100 KB could name 50,000. */
const MOST_CHALLENGES = 100;
/** How many schemes a message names, and with how many characters: it has advice to give, too. */
const MOST_NAMED = 10;
const LONGEST_OFFER = 100;
/** The data of a scheme that has no parameters: it ends at a comma or with the header. */
const TOKEN68 = /[ \t]+([\w.~+/-]+=*)[ \t]*(?=,|$)/y;

/**
 * Returns the challenges in a `WWW-Authenticate` header, or in several joined with commas: the first hundred.
 *
 * It reads what RFC 9110 allows, and what servers write besides: a value with colons and slashes that is not
 * quoted, a quote that is never closed, spaces around an equals sign. It never throws, and takes time by the
 * length of the header.
 */
export function challengesIn(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string>; token68?: string }[] = [];
  let at = 0;
  const skip = (characters: string): void => {
    while (at < header.length && characters.includes(header.charAt(at))) at += 1;
  };
  const until = (characters: string): string => {
    const start = at;
    while (at < header.length && !characters.includes(header.charAt(at))) at += 1;
    return header.slice(start, at);
  };
  for (;;) {
    skip(' \t,');
    if (at >= header.length) return challenges;
    const word = until(' \t,=');
    TOKEN68.lastIndex = at;
    skip(' \t');
    // The equals sign tells a parameter from a scheme: a comma separates both.
    if (header.charAt(at) !== '=') {
      if (challenges.length === MOST_CHALLENGES) return challenges;
      const [data = '', token68] = TOKEN68.exec(header) ?? [];
      at += data.trimStart().length;
      challenges.push({
        scheme: word,
        parameters: new Map(),
        ...(token68 === undefined ? {} : { token68 }),
      });
      continue;
    }
    at += 1;
    skip(' \t');
    const value = header.charAt(at) === '"' ? quoted() : until(' \t,');
    const parameters = challenges.at(-1)?.parameters;
    const name = word.toLowerCase();
    if (parameters?.has(name) === false) parameters.set(name, value);
  }

  function quoted(): string {
    let value = '';
    at += 1;
    for (;;) {
      value += until('"\\');
      const stop = header.charAt(at);
      at += 1;
      if (stop !== '\\') return value;
      value += header.charAt(at);
      at += 1;
    }
  }
}

/** Returns the challenges of one scheme in the headers of a response, in the server's order. */
export function challengesOf(headers: HttpHeaders, scheme: string): readonly Challenge[] {
  const wanted = scheme.toLowerCase();
  return challengesIn(headers.get('www-authenticate') ?? '').filter(
    (challenge) => challenge.scheme.toLowerCase() === wanted,
  );
}

/** Returns the schemes that the headers of a response offer, as a message may quote them; empty for none. */
export function offeredSchemes(headers: HttpHeaders): string {
  const schemes = challengesIn(headers.get('www-authenticate') ?? '').flatMap(
    ({ scheme }) => codeWord(scheme) ?? [],
  );
  return excerpt([...new Set(schemes)].slice(0, MOST_NAMED).join(', '), LONGEST_OFFER);
}
