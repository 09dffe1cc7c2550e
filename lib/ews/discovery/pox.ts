import { SaxesParser } from 'saxes';
import { DecodeError } from '../../core/errors.ts';
import { excerpt } from '../../core/text.ts';
import { escapeXml } from '../protocol/envelope.ts';

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

/**
 * Returns the content of an Autodiscover response, whose elements are read by their local names.
 *
 * @see [EWS] Autodiscover Response (POX)
 * @throws DecodeError for malformed XML, a document type declaration, or another document.
 */
export function readPoxResponse(xml: string): PoxResponse {
  const names: string[] = [];
  const open: Protocol[] = [];
  const protocols: Protocol[] = [];
  const texts = new Map<string, string>();
  let text = '';
  let root: string | undefined;

  const problem = (expected: string, actual: string): DecodeError =>
    new DecodeError(SUBJECT, {
      path: names.map((name) => `/${excerpt(name, LONGEST_NAME)}`).join(''),
      expected,
      actual,
    });

  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('doctype', () => {
    throw problem('no document type declaration', 'one');
  });
  parser.on('opentag', ({ name, attributes }) => {
    const local = localName(name);
    root ??= local;
    names.push(local);
    if (names.length > MOST_DEPTH) throw problem(`at most ${MOST_DEPTH} elements in one another`, 'one more');
    text = '';
    if (local !== 'Protocol') return;
    const protocol = { type: attributes['Type'] ?? '', ewsUrl: undefined, asUrl: undefined };
    open.push(protocol);
    protocols.push(protocol);
  });
  const onText = (part: string): void => {
    text += part;
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    const local = names.pop() ?? '';
    const parent = names.at(-1);
    const content = text.trim();
    text = '';
    if (local === 'Protocol') open.pop();
    const protocol = parent === 'Protocol' ? open.at(-1) : undefined;
    if (protocol !== undefined) note(protocol, local, content);
    else if (content !== '') texts.set(`${parent ?? ''}/${local}`, content);
  });

  try {
    parser.write(xml.replace(/^\s+/, '')).close();
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    throw problem('well-formed XML', 'something else');
  }
  if (root !== 'Autodiscover')
    throw problem('an Autodiscover element', excerpt(root ?? 'nothing', LONGEST_NAME));
  return {
    ewsUrls: inOrder(protocols),
    redirectUrl: texts.get('Account/RedirectUrl'),
    redirectAddress: texts.get('Account/RedirectAddr'),
    errorCode: texts.get('Error/ErrorCode'),
  };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function note(protocol: Protocol, name: string, content: string): void {
  if (content === '') return;
  if (name === 'Type') protocol.type = content;
  else if (name === 'EwsUrl') protocol.ewsUrl = content;
  else if (name === 'ASUrl') protocol.asUrl = content;
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
