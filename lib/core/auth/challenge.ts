import { codeWord, excerpt } from '../text.ts';
import type { HttpHeaders } from '../transport/transport.ts';

/** A way to authenticate that a server offers. [RFC 9110, Challenge and Response] */
interface Challenge {
  /** In the server's spelling, such as `Bearer`. */
  readonly scheme: string;
  /** By name in lower case; the first of each name. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The data after the scheme, such as a message of NTLM; undefined if there are parameters or nothing. */
  readonly token68?: string;
}

/** More than any server offers; a header of 100 KB could have 50,000. */
const MOST_CHALLENGES = 100;
/** The most schemes in a message, and their most characters. */
const MOST_NAMED = 10;
const LONGEST_OFFER = 100;
/** The data of a scheme that has no parameters: it ends at a comma or with the header. */
const TOKEN68 = /[ \t]+([\w.~+/-]+=*)[ \t]*(?=,|$)/y;

/**
 * Returns the challenges in a `WWW-Authenticate` header, or in several joined with commas: the first hundred.
 *
 * It reads the syntax of RFC 9110, and deviations of servers: unquoted values with colons and slashes,
 * unclosed quotes, spaces around equals signs. It never throws, and takes linear time.
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
    // Commas separate schemes and parameters; a parameter has an equals sign.
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

/** Returns the challenges of one scheme in the headers of a response, in order. */
export function challengesOf(headers: HttpHeaders, scheme: string): readonly Challenge[] {
  const expected = scheme.toLowerCase();
  return challengesIn(headers.get('www-authenticate') ?? '').filter(
    (challenge) => challenge.scheme.toLowerCase() === expected,
  );
}

/** Returns the schemes in the headers of a response, for a message; empty for none. */
export function offeredSchemes(headers: HttpHeaders): string {
  const schemes = challengesIn(headers.get('www-authenticate') ?? '').flatMap(
    ({ scheme }) => codeWord(scheme) ?? [],
  );
  return excerpt([...new Set(schemes)].slice(0, MOST_NAMED).join(', '), LONGEST_OFFER);
}
