/** One way to authenticate that a server asks for. */
export interface Challenge {
  /** As the server writes it, such as `Bearer`. */
  readonly scheme: string;
  /** By name in lower case; of several of one name the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Where and how UCWA issues tokens. [AuthenticationInUCWA] */
export interface SignInOffer {
  /** Of the token endpoint: absolute, or relative to where it was asked. */
  readonly href: string;
  /** The grant types that it takes, such as `password`; empty where the server does not say. */
  readonly grantTypes: readonly string[];
}

/** No server has so many ways to authenticate; a header of 100 KB could name 50,000. */
const MOST_CHALLENGES = 100;

/**
 * Reads a `WWW-Authenticate` header, or several joined with commas: the first hundred challenges.
 *
 * It takes what RFC 9110 allows, and what servers write besides: a value with colons and slashes that is not
 * quoted, a quote that is never closed, spaces around an equals sign. It never throws, and reads each
 * character once.
 */
export function challengesIn(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
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
    skip(' \t');
    // The equals sign tells a parameter from a scheme: a comma separates both.
    if (header.charAt(at) !== '=') {
      if (challenges.length === MOST_CHALLENGES) return challenges;
      challenges.push({ scheme: word, parameters: new Map() });
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

/** What UCWA offers in a `WWW-Authenticate` header; undefined where it offers nothing. */
export function signInOffer(header: string): SignInOffer | undefined {
  for (const { scheme, parameters } of challengesIn(header)) {
    const href = parameters.get('href');
    if (scheme.toLowerCase() !== 'msrtcoauth' || href === undefined || href === '') continue;
    const grantTypes = (parameters.get('grant_type') ?? '').split(',').map((type) => type.trim());
    return { href, grantTypes: grantTypes.filter((type) => type !== '') };
  }
  return undefined;
}
