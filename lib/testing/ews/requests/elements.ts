import { SaxesParser } from 'saxes';

/** A violation of the schema in a request. */
export class SchemaViolation extends Error {
  override readonly name: string = 'SchemaViolation';
}

/** An element of a request. */
export interface Element {
  /** The usual prefix and the local name, such as `m:Subscribe`. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['http://schemas.xmlsoap.org/soap/envelope/', 'soap'],
  ['http://schemas.microsoft.com/exchange/services/2006/messages', 'm'],
  ['http://schemas.microsoft.com/exchange/services/2006/types', 't'],
]);

/** A limit, because the time to resolve a namespace grows with the depth. */
const MAX_DEPTH = 64;

/** A child element and its cardinality. */
export type Particle = readonly [name: string, min: number, max: number];

/**
 * Returns the children of an element, a list for each particle; their order must be that of the particles.
 */
export function childrenInOrder(element: Element, particles: readonly Particle[]): Element[][] {
  let next = 0;
  const found = particles.map(([name, min, max]) => {
    const taken: Element[] = [];
    while (element.children[next]?.name === name && taken.length < max) {
      taken.push(element.children[next] as Element);
      next += 1;
    }
    if (taken.length < min) throw new SchemaViolation(`${element.name} lacks ${name}`);
    return taken;
  });
  const extra = element.children[next];
  if (extra !== undefined) throw new SchemaViolation(`${element.name} must not have ${extra.name} there`);
  return found;
}

/** Returns the only element of a list. @throws SchemaViolation that names what is missing */
export function only(elements: readonly Element[] | undefined, what: string): Element {
  const [first, ...others] = elements ?? [];
  if (first === undefined || others.length > 0) throw new SchemaViolation(`the request must have ${what}`);
  return first;
}

/** Returns the text of the first element. */
export function textOf(elements: readonly Element[] | undefined): string {
  return elements?.[0]?.text ?? '';
}

/** Returns the elements of an envelope. @throws SchemaViolation */
export function readElements(xml: string): Element {
  const document: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [document];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (open.length > MAX_DEPTH)
      throw new SchemaViolation(`the request has more than ${MAX_DEPTH} levels of elements`);
    const plain = Object.entries(attributes).map(([name, { value }]) => [name, value] as const);
    const name = `${PREFIXES.get(uri) ?? `{${uri}}`}:${local}`;
    const element: Element = { name, attributes: Object.fromEntries(plain), children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => open.pop());
  try {
    parser.write(xml).close();
  } catch (error) {
    throw error instanceof SchemaViolation
      ? error
      : new SchemaViolation('the request is not well-formed XML');
  }
  const root = only(document.children, 'one element');
  if (root.name !== 'soap:Envelope') throw new SchemaViolation(`${root.name} is not soap:Envelope`);
  return root;
}

const INT = /^[+-]?\d+$/;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Returns a whole number of minutes from 1 to `max`. @throws SchemaViolation */
export function readMinutes(name: string, text: string, max: number): number {
  const digits = text.trim();
  const minutes = INT.test(digits) ? Number(digits) : Number.NaN;
  if (minutes >= 1 && minutes <= max) return minutes;
  throw new SchemaViolation(`${name} is not a whole number from 1 to ${max}`);
}

/** Returns the value of a boolean attribute. @default text 'false' @throws SchemaViolation */
export function readBoolean(name: string, text: string = 'false'): boolean {
  const value = BOOLEANS.get(text.trim());
  if (value === undefined) throw new SchemaViolation(`${name} is not true, false, 1 or 0`);
  return value;
}

/** A folder id in a request. */
export interface RequestedFolder {
  readonly id: string;
  readonly distinguished: boolean;
  /** The address of its mailbox, if given. */
  readonly mailbox: string | undefined;
}

/** The names that on-premises servers know. @see [EWS] DistinguishedFolderIdNameType */
const DISTINGUISHED_NAMES = new Set(
  (
    'calendar contacts deleteditems drafts inbox journal notes outbox sentitems tasks msgfolderroot ' +
    'publicfoldersroot root junkemail searchfolders voicemail recoverableitemsroot recoverableitemsdeletions ' +
    'recoverableitemsversions recoverableitemspurges archiveroot archivemsgfolderroot archivedeleteditems ' +
    'archiveinbox archiverecoverableitemsroot archiverecoverableitemsdeletions ' +
    'archiverecoverableitemsversions archiverecoverableitemspurges syncissues conflicts localfailures ' +
    'serverfailures recipientcache quickcontacts conversationhistory adminauditlogs todosearch mycontacts ' +
    'directory imcontactlist peopleconnect favorites mecontact personmetadata teamspaceactivity ' +
    'teamspacemessaging teamspaceworkitems'
  ).split(' '),
);

/** @see [EWS] EmailAddressType */
const MAILBOX: readonly Particle[] = [
  ['t:Name', 0, 1],
  ['t:EmailAddress', 0, 1],
  ['t:RoutingType', 0, 1],
  ['t:MailboxType', 0, 1],
  ['t:ItemId', 0, 1],
  ['t:OriginalDisplayName', 0, 1],
];

/** Returns the folders of a `FolderIds` element, at least one. @throws SchemaViolation */
export function readFolderIds(element: Element): readonly RequestedFolder[] {
  if (element.children.length === 0) throw new SchemaViolation(`${element.name} has no folder`);
  return element.children.map(readFolderId);
}

function readFolderId(element: Element): RequestedFolder {
  const { name, attributes } = element;
  const id = attributes['Id'];
  if (id === undefined) throw new SchemaViolation(`${name} has no attribute Id`);
  if (name === 't:FolderId') return { id, distinguished: false, mailbox: undefined };
  if (name !== 't:DistinguishedFolderId') throw new SchemaViolation(`${name} is not the id of a folder`);
  if (!DISTINGUISHED_NAMES.has(id)) throw new SchemaViolation(`there is no distinguished folder ${id}`);
  const [mailboxes] = childrenInOrder(element, [['t:Mailbox', 0, 1]]);
  const mailbox = mailboxes?.[0];
  const addresses = mailbox === undefined ? undefined : childrenInOrder(mailbox, MAILBOX)[1];
  return { id, distinguished: true, mailbox: textOf(addresses).trim() || undefined };
}
