import { type Element, inOrder, only, readElements, SchemaViolation, textOf } from './ewsElements.ts';

/** An operation that the simulated server was asked for. */
export type EwsRequest =
  | {
      readonly operation: 'Subscribe';
      readonly kind: 'pull' | 'streaming' | 'push';
      /** Undefined for all folders. */
      readonly folders: readonly RequestedFolder[] | undefined;
      readonly allFolders: boolean;
      /** The elements of the events, such as `NewMailEvent`. */
      readonly events: readonly string[];
      readonly watermark: string | undefined;
      readonly timeoutMinutes: number;
      /** Where a push subscription is posted. */
      readonly callback: RequestedCallback | undefined;
    }
  | { readonly operation: 'GetEvents'; readonly subscriptionId: string; readonly watermark: string }
  | {
      readonly operation: 'GetStreamingEvents';
      readonly subscriptionIds: readonly string[];
      readonly connectionMinutes: number;
    }
  | { readonly operation: 'Unsubscribe'; readonly subscriptionId: string };

/** A folder as a request names it. */
export interface RequestedFolder {
  readonly id: string;
  readonly distinguished: boolean;
  /** The address of whose folder it is, where the request says so. */
  readonly mailbox: string | undefined;
}

/** Where notifications are to be posted, and how often at least. */
export interface RequestedCallback {
  readonly url: string;
  readonly statusFrequencyMinutes: number;
}

/** Whom a request wants to act as. */
export interface ImpersonatedUser {
  /** `PrincipalName`, `SID`, `PrimarySmtpAddress` or `SmtpAddress`. */
  readonly by: string;
  readonly name: string;
}

/** A request, and what its header says. */
export interface ReadRequest {
  readonly version: string | undefined;
  readonly impersonated: ImpersonatedUser | undefined;
  readonly request: EwsRequest;
}

/** What a request says, as far as it can be read. */
export interface RequestGist {
  /** Undefined where the body is no operation. */
  readonly operation: EwsRequest['operation'] | undefined;
  /** The subscription that it names. */
  readonly subscriptionId: string | undefined;
  /** The subscriptions that it names, if it may name several. */
  readonly subscriptionIds: readonly string[] | undefined;
  /** The watermark that it names. */
  readonly watermark: string | undefined;
  readonly impersonated: ImpersonatedUser | undefined;
}

/** How long a streaming subscription is kept that no connection asks for. */
const STREAMING_MINUTES = 30;

const EVENT_TYPES = new Set([
  'CopiedEvent',
  'CreatedEvent',
  'DeletedEvent',
  'ModifiedEvent',
  'MovedEvent',
  'NewMailEvent',
  'FreeBusyChangedEvent',
]);

const CONNECTING_SIDS = ['t:PrincipalName', 't:SID', 't:PrimarySmtpAddress', 't:SmtpAddress'];

/**
 * Reads a request as strictly as a real server does: namespaces, elements and their order by the schema. It
 * throws a {@link SchemaViolation}.
 */
export function readRequest(body: string): ReadRequest {
  const [header, soapBody] = inOrder(readElements(body), [
    ['soap:Header', 0, 1],
    ['soap:Body', 1, 1],
  ]);
  const head = header?.[0];
  const operation = only(soapBody?.[0]?.children, 'one operation in soap:Body');
  return {
    version: head?.children.find(({ name }) => name === 't:RequestServerVersion')?.attributes['Version'],
    impersonated: readImpersonated(head?.children.find(({ name }) => name === 't:ExchangeImpersonation')),
    request: readOperation(operation),
  };
}

/** Reads what a log tells of a request; one that does not follow the schema says nothing. */
export function gistOf(body: string): RequestGist {
  try {
    const { request, impersonated } = readRequest(body);
    return {
      operation: request.operation,
      subscriptionId: 'subscriptionId' in request ? request.subscriptionId : undefined,
      subscriptionIds: 'subscriptionIds' in request ? request.subscriptionIds : undefined,
      watermark: 'watermark' in request ? request.watermark : undefined,
      impersonated,
    };
  } catch {
    return {
      operation: undefined,
      subscriptionId: undefined,
      subscriptionIds: undefined,
      watermark: undefined,
      impersonated: undefined,
    };
  }
}

function readOperation(element: Element): EwsRequest {
  switch (element.name) {
    case 'm:Subscribe':
      return readSubscribe(only(element.children, 'one subscription request in m:Subscribe'));
    case 'm:GetEvents': {
      const [ids, watermarks] = inOrder(element, [
        ['m:SubscriptionId', 1, 1],
        ['m:Watermark', 1, 1],
      ]);
      return { operation: 'GetEvents', subscriptionId: textOf(ids), watermark: textOf(watermarks) };
    }
    case 'm:GetStreamingEvents':
      return readGetStreamingEvents(element);
    case 'm:Unsubscribe': {
      const [ids] = inOrder(element, [['m:SubscriptionId', 1, 1]]);
      return { operation: 'Unsubscribe', subscriptionId: textOf(ids) };
    }
    default:
      throw new SchemaViolation(`the element ${element.name} is not an operation of this server`);
  }
}

function readGetStreamingEvents(element: Element): EwsRequest {
  const [lists, timeouts] = inOrder(element, [
    ['m:SubscriptionIds', 1, 1],
    ['m:ConnectionTimeout', 1, 1],
  ]);
  const [ids] = inOrder(only(lists, 'one m:SubscriptionIds'), [['t:SubscriptionId', 1, 200]]);
  return {
    operation: 'GetStreamingEvents',
    subscriptionIds: (ids ?? []).map(({ text }) => text),
    connectionMinutes: minutesIn(timeouts, 't:ConnectionTimeout', 30),
  };
}

function minutesIn(elements: readonly Element[] | undefined, name: string, max: number): number {
  const minutes = Number(textOf(elements));
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= max) return minutes;
  throw new SchemaViolation(`${name} is not in the range from 1 to ${max}`);
}

const SUBSCRIPTION_KINDS = {
  'm:PullSubscriptionRequest': 'pull',
  'm:StreamingSubscriptionRequest': 'streaming',
  'm:PushSubscriptionRequest': 'push',
} as const;

function isKind(name: string): name is keyof typeof SUBSCRIPTION_KINDS {
  return Object.hasOwn(SUBSCRIPTION_KINDS, name);
}

function readSubscribe(element: Element): EwsRequest {
  if (!isKind(element.name)) {
    throw new SchemaViolation(`the element ${element.name} is not a subscription request of this server`);
  }
  const kind = SUBSCRIPTION_KINDS[element.name];
  const onlyOf = (...kinds: readonly string[]): 0 | 1 => (kinds.includes(kind) ? 1 : 0);
  const [folderIds, eventTypes, watermark, timeout, frequency, url] = inOrder(element, [
    ['t:FolderIds', 0, 1],
    ['t:EventTypes', 1, 1],
    ['t:Watermark', 0, onlyOf('pull', 'push')],
    ['t:Timeout', onlyOf('pull'), onlyOf('pull')],
    ['t:StatusFrequency', onlyOf('push'), onlyOf('push')],
    ['t:URL', onlyOf('push'), onlyOf('push')],
  ]);
  return {
    operation: 'Subscribe',
    kind,
    folders: folderIds?.[0]?.children.map(readFolder),
    allFolders: element.attributes['SubscribeToAllFolders'] === 'true',
    events: (eventTypes?.[0]?.children ?? []).map(readEventType),
    watermark: watermark?.[0]?.text,
    timeoutMinutes: {
      pull: () => minutesIn(timeout, 't:Timeout', 1440),
      streaming: () => STREAMING_MINUTES,
      push: () => Infinity,
    }[kind](),
    callback:
      kind === 'push'
        ? { url: textOf(url), statusFrequencyMinutes: minutesIn(frequency, 't:StatusFrequency', 1440) }
        : undefined,
  };
}

function readFolder(element: Element): RequestedFolder {
  const { name, attributes } = element;
  const id = attributes['Id'];
  if (id === undefined) throw new SchemaViolation(`${name} has no attribute Id`);
  if (name === 't:FolderId') return { id, distinguished: false, mailbox: undefined };
  if (name === 't:DistinguishedFolderId') {
    const [mailboxes] = inOrder(element, [['t:Mailbox', 0, 1]]);
    const [mailbox] = mailboxes ?? [];
    const [addresses] = mailbox === undefined ? [] : inOrder(mailbox, [['t:EmailAddress', 1, 1]]);
    return { id, distinguished: true, mailbox: addresses?.[0]?.text };
  }
  throw new SchemaViolation(`t:FolderIds has the element ${name}`);
}

function readEventType({ name, text }: Element): string {
  if (name === 't:EventType' && EVENT_TYPES.has(text)) return text;
  throw new SchemaViolation(`t:EventTypes has ${name} ${text}`);
}

function readImpersonated(element: Element | undefined): ImpersonatedUser | undefined {
  if (element === undefined) return undefined;
  const sid = only(element.children, 'one t:ConnectingSID');
  const { name, text } = only(sid.children, 'one name in t:ConnectingSID');
  if (!CONNECTING_SIDS.includes(name)) throw new SchemaViolation(`t:ConnectingSID has the element ${name}`);
  return { by: name.slice('t:'.length), name: text };
}
