import * as t from 'io-ts';
import { decode } from '../../core/decode.ts';
import { parseUrl } from '../../core/httpUrl.ts';
import { type Codec, codecOf, listCodec, objectCodec } from './collections.ts';

/** A link to a resource. */
export interface Link {
  /** Absolute, or relative to where it was read. */
  readonly href: string;
  /** What it leads to, where that is not told by the name that it stands under. */
  readonly rel?: string;
  /** A name for people, such as that of a contact. */
  readonly title?: string;
}

/** The link of an event: it always names its kind. */
export interface NamedLink extends Link {
  /** What it leads to, such as `contactPresence`. */
  readonly rel: string;
}

/** Where the documentation has one, some answers have a list, and the other way round. */
export type OneOrMany<Value> = Value | readonly Value[];

/** The links of a resource, by what they lead to. */
export type Links = Readonly<Record<string, OneOrMany<Link>>>;

/** The resources that came along with another, by what they are. */
export type Embedded = Readonly<Record<string, OneOrMany<Resource>>>;

/**
 * A resource as UCWA sends it, with every property that came: those that are named by a GUID too, which a
 * PUT has to bring back.
 */
export interface Resource {
  /** What it is, such as `presenceSubscription`. */
  readonly rel?: string;
  /** Which version of it this is. */
  readonly etag?: string;
  /** Where one can go from it. */
  readonly _links?: Links;
  /** What came along with it. */
  readonly _embedded?: Embedded;
  /** Everything else. */
  readonly [property: string]: unknown;
}

/** Why something failed: the body of an error, and the `reason` of an event. Only `code` is sure to be there. */
export interface Reason {
  /** Such as `NotFound`. */
  readonly code: string;
  /** Such as `ApplicationNotFound`; there are more than are documented. */
  readonly subcode?: string;
  /** For people, in the language of the application. */
  readonly message?: string;
  /** Where there is more about it. */
  readonly link?: Link;
  /** Which parameters of the request it is about. */
  readonly parameters?: unknown;
  /** For those who look after the server. */
  readonly debugInfo?: unknown;
}

/** The resource `application`, as far as this library follows it. */
export interface ApplicationResource extends Resource {
  readonly _links: Links & { readonly self: OneOrMany<Link>; readonly events: OneOrMany<Link> };
}

/** The resource `presenceSubscription`. */
export interface PresenceSubscriptionResource extends Resource {
  readonly _links: Links & { readonly self: OneOrMany<Link> };
  readonly id?: string;
}

function oneOrMany<Value>(codec: Codec<Value>): Codec<OneOrMany<Value>> {
  const list = listCodec(codec);
  return codecOf<OneOrMany<Value>>(`${codec.name} or a list of them`, (value, context) =>
    Array.isArray(value) ? list.validate(value, context) : codec.validate(value, context),
  );
}

/** An href; some answers bring it with the ampersand of its query written as in XML. */
export const hrefCodec: Codec<string> = codecOf('href', (value, context) =>
  typeof value === 'string' && value !== ''
    ? t.success(value.replaceAll('&amp;', '&'))
    : t.failure(value, context, 'a link'),
);

/** Decodes a {@link Link}. */
export const linkCodec: Codec<Link> = objectCodec('link', {
  required: { href: hrefCodec },
  optional: { rel: t.string, title: t.string },
});

/** Decodes a {@link NamedLink}. */
export const namedLinkCodec: Codec<NamedLink> = objectCodec('link', {
  required: { rel: t.string, href: hrefCodec },
  optional: { title: t.string },
});

const everyLink = oneOrMany(linkCodec);

const linksCodec: Codec<Links> = objectCodec('links', { others: everyLink });

/** How deep resources may be in one another: documented are three, and each costs whoever reads it. */
export const MOST_EMBEDDED = 32;

const everyResource: Codec<Embedded> = objectCodec('resources', {
  others: oneOrMany(t.recursion('resource', () => resourceCodec)),
});

/** Decodes {@link Embedded}; one too deep in others is none. */
export const embeddedCodec: Codec<Embedded> = codecOf('resources', (value, context) =>
  context.filter(({ type }) => type === embeddedCodec).length > MOST_EMBEDDED
    ? t.failure(value, context, `at most ${MOST_EMBEDDED} resources in one another`)
    : everyResource.validate(value, context),
);

const members = { rel: t.string, etag: t.string, _embedded: embeddedCodec };

/** Decodes a {@link Resource}: whatever else is in it stays as it is. */
export const resourceCodec: Codec<Resource> = objectCodec('resource', {
  optional: { ...members, _links: linksCodec },
});

/** Decodes a {@link Reason}: the subcode stays open, there are more than are documented. */
export const reasonCodec: Codec<Reason> = objectCodec('reason', {
  required: { code: t.string },
  optional: { subcode: t.string, message: t.string, link: linkCodec },
});

const applicationLinks: Codec<ApplicationResource['_links']> = objectCodec('links', {
  required: { self: everyLink, events: everyLink },
  others: everyLink,
});

/** Decodes the resource `application`: without its own link and its events it is of no use. */
export const applicationCodec: Codec<ApplicationResource> = objectCodec('application', {
  required: { _links: applicationLinks },
  optional: members,
});

const subscriptionLinks: Codec<PresenceSubscriptionResource['_links']> = objectCodec('links', {
  required: { self: everyLink },
  others: everyLink,
});

/** Decodes the resource `presenceSubscription`. */
export const presenceSubscriptionCodec: Codec<PresenceSubscriptionResource> = objectCodec(
  'presenceSubscription',
  { required: { _links: subscriptionLinks }, optional: { ...members, id: t.string } },
);

/** Makes a list of one or many, and an empty one of nothing. */
export function listOf<Value extends object>(value: OneOrMany<Value> | undefined): readonly Value[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

/** Whether it is a list of them. */
export function isList<Value>(value: OneOrMany<Value>): value is readonly Value[] {
  return Array.isArray(value);
}

/** The href of a resource's first link of a kind. */
export function hrefOf(resource: Resource, rel: string): string | undefined {
  return listOf(resource._links?.[rel])[0]?.href;
}

/**
 * The resources that came along under a name: by the key, which is sure, or by their own `rel`, which may be
 * another.
 */
export function embeddedIn(resource: Resource, rel: string): readonly Resource[] {
  const embedded = resource._embedded ?? {};
  if (embedded[rel] !== undefined) return listOf(embedded[rel]);
  return Object.values(embedded)
    .flatMap((one) => listOf(one))
    .filter((one) => one.rel === rel);
}

/** A resource that came along with the application. */
export interface EmbeddedResource extends Resource {
  /** Where one can go from it, absolute; the first link of each kind. Empty where the resource did not come. */
  readonly _links: Readonly<Record<string, Link>>;
}

/**
 * The user, as far as the server says who that is: what it leaves out, or writes as something else than a text,
 * is undefined. [me_ref]
 */
export interface Me extends EmbeddedResource {
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
  return decode(meCodec, 'me')(embeddedResource(application, 'me', base));
}

/** What came with an application under this name, with links that can be followed from anywhere. */
export function embeddedResource(application: Resource, rel: string, base: string): EmbeddedResource {
  const [resource = {}] = embeddedIn(application, rel);
  const links = Object.entries(resource._links ?? {}).flatMap(([name, found]) => {
    const [link] = listOf(found);
    const href = link === undefined ? undefined : parseUrl(link.href, base)?.href;
    return href === undefined ? [] : [[name, { ...link, href }] as const];
  });
  return { rel, ...resource, _links: Object.fromEntries(links) };
}
