import { DecodeError } from '../../core/errors.ts';
import { excerpt } from '../../core/text.ts';
import { documentReader } from '../protocol/documentReader.ts';
import { escapeXml } from '../protocol/envelope.ts';
import { type ElementHandler, SchemaViolation } from '../protocol/schema.ts';

/** The parts of an Autodiscover response that matter here. */
interface PoxResponse {
  /** The URLs of the web services; the one that most clients can reach is the first. */
  readonly ewsUrls: readonly string[];
  readonly redirectUrl: string | undefined;
  readonly redirectAddress: string | undefined;
  /** Such as `500`: the address is not known. */
  readonly errorCode: string | undefined;
}

const REQUEST_SCHEMA = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006';
const RESPONSE_SCHEMA = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a';
const SUBJECT = 'Autodiscover response';
const MOST_DEPTH = 32;
/** How many characters of the name of an element are shown: a server can make up names of any length. */
const LONGEST_NAME = 40;
/** EXPR is for clients outside the network, EXCH for those inside; other types come last. */
const TYPES: readonly string[] = ['EXPR', 'EXHTTP', 'EXCH', 'WEB'];

/** A Protocol element while it is read. */
interface Protocol {
  type: string;
  ewsUrl: string | undefined;
  asUrl: string | undefined;
}

/** A response while it is read. */
interface PoxBuilder {
  readonly protocols: Protocol[];
  /** The Protocol elements that are open: they may be nested. */
  readonly open: Protocol[];
  redirectUrl: string | undefined;
  redirectAddress: string | undefined;
  errorCode: string | undefined;
}

type PoxHandler = ElementHandler<PoxBuilder>;

function newBuilder(): PoxBuilder {
  return {
    protocols: [],
    open: [],
    redirectUrl: undefined,
    redirectAddress: undefined,
    errorCode: undefined,
  };
}

/** Returns a request for the settings of an address. [EWS] Autodiscover Request (POX). */
export function poxRequest(address: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    `<Autodiscover xmlns="${REQUEST_SCHEMA}"><Request>` +
    `<EMailAddress>${escapeXml('address', address)}</EMailAddress>` +
    `<AcceptableResponseSchema>${RESPONSE_SCHEMA}</AcceptableResponseSchema>` +
    '</Request></Autodiscover>'
  );
}

/** Returns the handler of a part of a Protocol element, except for empty parts. */
function partOfProtocol(part: keyof Protocol): PoxHandler {
  return {
    close: ({ open }, text) => {
      const protocol = open.at(-1);
      if (protocol !== undefined && text !== '') protocol[part] = text;
    },
  };
}

/** Returns the handler of an element with one value. */
function valueOf(value: 'redirectUrl' | 'redirectAddress' | 'errorCode'): PoxHandler {
  return { close: (builder, text) => (builder[value] = text === '' ? builder[value] : text) };
}

const PROTOCOL: PoxHandler = {
  children: new Map([
    ['Type', partOfProtocol('type')],
    ['EwsUrl', partOfProtocol('ewsUrl')],
    ['ASUrl', partOfProtocol('asUrl')],
  ]),
  // A Protocol may contain others: those for clients inside and outside the network.
  get otherwise() {
    return ANYWHERE;
  },
  open: ({ protocols, open }, { Type: type = '' }) => {
    const protocol = { type, ewsUrl: undefined, asUrl: undefined };
    open.push(protocol);
    protocols.push(protocol);
  },
  close: ({ open }) => open.pop(),
};

/** Reads these elements at any depth: the schema has each name in one place only. */
const ANYWHERE: PoxHandler = {
  children: new Map([
    ['Protocol', PROTOCOL],
    ['RedirectUrl', valueOf('redirectUrl')],
    ['RedirectAddr', valueOf('redirectAddress')],
    ['ErrorCode', valueOf('errorCode')],
  ]),
  get otherwise() {
    return ANYWHERE;
  },
};

const DOCUMENT: PoxHandler = {
  children: new Map([['Autodiscover', ANYWHERE]]),
  otherwise: {
    open: (_builder, _attributes, localName) => {
      throw new SchemaViolation('an Autodiscover element', excerpt(localName, LONGEST_NAME));
    },
  },
};

/**
 * Returns the content of an Autodiscover response, whose elements are read by their local names.
 *
 * @see [EWS] Autodiscover Response (POX)
 * @throws DecodeError for malformed XML, a document type declaration, or another document.
 */
export function readPoxResponse(xml: string): PoxResponse {
  let response = undefined as PoxBuilder | undefined;
  const reader = documentReader({
    subject: SUBJECT,
    depth: MOST_DEPTH,
    schema: DOCUMENT,
    newBuilder,
    take: (document) => {
      response = document;
      return false;
    },
  });
  reader.read(xml);
  reader.end();
  if (response === undefined)
    throw new DecodeError(SUBJECT, { path: '', expected: 'an Autodiscover element', actual: 'nothing' });
  const { protocols, redirectUrl, redirectAddress, errorCode } = response;
  return { ewsUrls: inOrder(protocols), redirectUrl, redirectAddress, errorCode };
}

/** ASUrl is the older name for the same, and the only one that a WEB protocol has. */
function inOrder(protocols: readonly Protocol[]): string[] {
  const sorted = [...protocols].sort((one, other) => rankOf(one) - rankOf(other));
  const urls = [...sorted.map(({ ewsUrl }) => ewsUrl), ...sorted.map(({ asUrl }) => asUrl)];
  return [...new Set(urls.filter((url) => url !== undefined))];
}

function rankOf({ type }: Protocol): number {
  const rank = TYPES.indexOf(type.toUpperCase());
  return rank === -1 ? TYPES.length : rank;
}
