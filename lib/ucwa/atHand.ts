import * as t from 'io-ts';
import { decode } from '../core/decode.ts';
import { parseUrl } from '../core/httpUrl.ts';
import { type Codec, listCodec, objectCodec } from './collections.ts';
import { embeddedIn, type Link, listOf, type Resource } from './wire.ts';

/** A resource that came along with the application. */
export interface ResourceAtHand extends Resource {
  /** Where one can go from it, absolute; the first link of each kind. Empty where the resource did not come. */
  readonly _links: Readonly<Record<string, Link>>;
}

/**
 * The user, as far as the server says who that is: what it leaves out, or writes as something else than a text,
 * is undefined. [me_ref]
 */
export interface Me extends ResourceAtHand {
  /** The address, as a `sip:` URI. */
  readonly uri?: string | undefined;
  /** For people. */
  readonly name?: string | undefined;
  /** Addresses of mail. */
  readonly emailAddresses?: readonly string[] | undefined;
  /** What the user is there, such as `Senior Manager`. */
  readonly title?: string | undefined;
  /** Where the user works. */
  readonly department?: string | undefined;
  /** Where that is. */
  readonly company?: string | undefined;
}

const meCodec: Codec<Me> = objectCodec('me', {
  optional: {
    ...{ uri: t.string, name: t.string, title: t.string, department: t.string, company: t.string },
    emailAddresses: listCodec(t.string),
  },
});

/** The user, of what came with an application. */
export function meIn(application: Resource, base: string): Me {
  return decode(meCodec, 'me')(atHand(application, 'me', base));
}

/** What came with an application under this name, with links that can be followed from anywhere. */
export function atHand(application: Resource, rel: string, base: string): ResourceAtHand {
  const [resource = {}] = embeddedIn(application, rel);
  const links = Object.entries(resource._links ?? {}).flatMap(([name, found]) => {
    const [link] = listOf(found);
    const href = link === undefined ? undefined : parseUrl(link.href, base)?.href;
    return href === undefined ? [] : [[name, { ...link, href }] as const];
  });
  return { rel, ...resource, _links: Object.fromEntries(links) };
}
