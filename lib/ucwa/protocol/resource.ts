import { type Codec, codecOf, failure, listCodec, objectCodec, string, success } from '../../core/codec.ts';
import { decode } from '../../core/decode.ts';
import { parseUrl } from '../../core/httpUrl.ts';

/** A link to a resource. */
export interface Link {
  /** Absolute, or relative to the URL of the response. */
  readonly href: string;
  /** The type of the target, if the name of the link does not say it. */
  readonly rel?: string;
  /** A human-readable name, such as that of a contact. */
  readonly title?: string;
}

/** The link of an event, which always has a `rel`. @inline */
export interface NamedLink extends Link {
  /** The type of the target, such as `contactPresence`. */
  readonly rel: string;
}

/** A value or a list: responses have either, whatever is documented. */
export type OneOrMany<Value> = Value | readonly Value[];

/** The links of a resource by type of the target. @inline */
export type Links = Readonly<Record<string, Link | readonly Link[]>>;

/** The resources embedded in another one, by type. @inline */
export type Embedded = Readonly<Record<string, Resource | readonly Resource[]>>;

/**
 * A resource as UCWA sends it, with all its properties.
 *
 * A PUT has to return those that are named by a GUID, too.
 */
export interface Resource {
  /** The type of the resource, such as `presenceSubscription`. */
  readonly rel?: string;
  /** The version of the resource. */
  readonly etag?: string;
  /** The links of the resource. */
  readonly _links?: Links;
  /** The resources that the server embedded. */
  readonly _embedded?: Embedded;
  /** All other properties. */
  readonly [property: string]: unknown;
}

/** The body of an error, or the `reason` of an event. @inline */
export interface Reason {
  /** Such as `NotFound`. */
  readonly code: string;
  /** Such as `ApplicationNotFound`. Not all are documented. */
  readonly subcode?: string;
  /** A human-readable text in the language of the application. */
  readonly message?: string;
  /** A link to further information. */
  readonly link?: Link;
  /** The parameters of the request that caused it. */
  readonly parameters?: unknown;
  /** Information for the administrator of the server. */
  readonly debugInfo?: unknown;
}

/** The resource `application`. */
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

/** Decodes an href. Some responses escape the ampersand of its query as in XML. */
export const hrefCodec: Codec<string> = codecOf('href', (value, context) =>
  typeof value === 'string' && value !== ''
    ? success(value.replaceAll('&amp;', '&'))
    : failure(value, context, 'a link'),
);

/** Decodes a {@link Link}. */
export const linkCodec: Codec<Link> = objectCodec('link', {
  required: { href: hrefCodec },
  optional: { rel: string, title: string },
});

/** Decodes a {@link NamedLink}. */
export const namedLinkCodec: Codec<NamedLink> = objectCodec('link', {
  required: { rel: string, href: hrefCodec },
  optional: { title: string },
});

const everyLink = oneOrMany(linkCodec);

const linksCodec: Codec<Links> = objectCodec('links', { others: everyLink });

/** How deep embedded resources may be nested: three levels are documented. */
export const MOST_EMBEDDED = 32;

const everyResource: Codec<Embedded> = objectCodec('resources', {
  others: oneOrMany(
    codecOf<Resource>('resource', (value, context) => resourceCodec.validate(value, context)),
  ),
});

/** Decodes {@link Embedded}, up to the deepest allowed level. */
export const embeddedCodec: Codec<Embedded> = codecOf('resources', (value, context) =>
  context.filter(({ type }) => type === embeddedCodec).length > MOST_EMBEDDED
    ? failure(value, context, `at most ${MOST_EMBEDDED} nested resources`)
    : everyResource.validate(value, context),
);

const members = { rel: string, etag: string, _embedded: embeddedCodec };

/** Decodes a {@link Resource}. All other properties are kept. */
export const resourceCodec: Codec<Resource> = objectCodec('resource', {
  optional: { ...members, _links: linksCodec },
});

/** Decodes a {@link Reason} with any subcode. */
export const reasonCodec: Codec<Reason> = objectCodec('reason', {
  required: { code: string },
  optional: { subcode: string, message: string, link: linkCodec },
});

const applicationLinks: Codec<ApplicationResource['_links']> = objectCodec('links', {
  required: { self: everyLink, events: everyLink },
  others: everyLink,
});

/** Decodes the resource `application`, which must have the links `self` and `events`. */
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
  { required: { _links: subscriptionLinks }, optional: { ...members, id: string } },
);

/** Returns a list of one or many values, or an empty list. */
export function listOf<Value extends object>(value: OneOrMany<Value> | undefined): readonly Value[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

/** Whether a value is a list. */
export function isList<Value>(value: OneOrMany<Value>): value is readonly Value[] {
  return Array.isArray(value);
}

/** Returns the href of the first link with this `rel`. */
export function hrefOf(resource: Resource, rel: string): string | undefined {
  return listOf(resource._links?.[rel])[0]?.href;
}

/** Returns the embedded resources under a name, or those with this `rel` if there are none. */
export function embeddedIn(resource: Resource, rel: string): readonly Resource[] {
  const embedded = resource._embedded ?? {};
  if (embedded[rel] !== undefined) return listOf(embedded[rel]);
  return Object.values(embedded)
    .flatMap((one) => listOf(one))
    .filter((one) => one.rel === rel);
}

/** A resource embedded in the application. @inline */
export interface EmbeddedResource extends Resource {
  /** The first link of each type, absolute. Empty if the application did not embed the resource. */
  readonly _links: Readonly<Record<string, Link>>;
}

/**
 * The user. Members that the server omits, or that are ill-typed, are undefined.
 *
 * @see [MS-UCWA] me_ref
 *
 * @inline
 */
export interface Me extends EmbeddedResource {
  /** The SIP address, as a `sip:` URI. */
  readonly uri?: string | undefined;
  /** The display name. */
  readonly name?: string | undefined;
  /** The mail addresses. */
  readonly emailAddresses?: readonly string[] | undefined;
  /** The job title, such as `Senior Manager`. */
  readonly title?: string | undefined;
  /** The department of the user. */
  readonly department?: string | undefined;
  /** The company of the user. */
  readonly company?: string | undefined;
}

const meCodec: Codec<Me> = objectCodec('me', {
  optional: {
    ...{ uri: string, name: string, title: string, department: string, company: string },
    emailAddresses: listCodec(string),
  },
});

/** Returns the user that an application embeds. */
export function meIn(application: Resource, base: string): Me {
  return decode(meCodec, 'me')(embeddedResource(application, 'me', base));
}

/** Returns a resource that an application embeds, with absolute links. */
export function embeddedResource(application: Resource, rel: string, base: string): EmbeddedResource {
  const [resource = {}] = embeddedIn(application, rel);
  const links = Object.entries(resource._links ?? {}).flatMap(([name, found]) => {
    const [link] = listOf(found);
    const href = link === undefined ? undefined : parseUrl(link.href, base)?.href;
    return href === undefined ? [] : [[name, { ...link, href }] as const];
  });
  return { rel, ...resource, _links: Object.fromEntries(links) };
}
