import {
  type Element,
  childrenInOrder,
  only,
  readElements,
  readMinutes,
  SchemaViolation,
  textOf,
  readFolderIds,
  type RequestedFolder,
} from './elements.ts';
import { readSubscribe, type SubscribeRequest } from './subscribe.ts';

/** A request for an operation. */
export type EwsRequest =
  | SubscribeRequest
  | GetFolderRequest
  | ConvertIdRequest
  | {
      readonly operation: 'GetEvents';
      readonly subscriptionId: string;
      /** Undefined if missing, which only some servers accept. */
      readonly watermark: string | undefined;
    }
  | {
      readonly operation: 'GetStreamingEvents';
      readonly subscriptionIds: readonly string[];
      readonly connectionMinutes: number;
    }
  | { readonly operation: 'Unsubscribe'; readonly subscriptionId: string };

/** The user that a request impersonates. @inline */
export interface ImpersonatedUser {
  /** `PrincipalName`, `SID`, `PrimarySmtpAddress` or `SmtpAddress`. */
  readonly by: string;
  readonly name: string;
}

/** A request with its SOAP header. */
export interface ReadRequest {
  readonly version: string | undefined;
  readonly impersonated: ImpersonatedUser | undefined;
  readonly request: EwsRequest;
}

/** A summary of a request. @inline */
export interface RequestSummary {
  /** Undefined if the request is invalid. */
  readonly operation: EwsRequest['operation'] | undefined;
  /** The subscription, if the operation has one. */
  readonly subscriptionId: string | undefined;
  /** The subscriptions, if the operation has several. */
  readonly subscriptionIds: readonly string[] | undefined;
  /** The watermark, if given. */
  readonly watermark: string | undefined;
  readonly impersonated: ImpersonatedUser | undefined;
}

const CONNECTING_SIDS = ['t:PrincipalName', 't:SID', 't:PrimarySmtpAddress', 't:SmtpAddress'];

/**
 * Returns the request in a body, which must have the namespaces and the element order of the schema.
 *
 * @throws SchemaViolation
 */
export function readRequest(body: string): ReadRequest {
  const [header, soapBody] = childrenInOrder(readElements(body), [
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

/** Returns the summary of a request for the log; it is empty if the request is invalid. */
export function summarize(body: string): RequestSummary {
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
      return readSubscribe(element);
    case 'm:GetFolder':
      return readGetFolder(element);
    case 'm:ConvertId':
      return readConvertId(element);
    case 'm:GetEvents': {
      const [ids, watermarks] = childrenInOrder(element, [
        ['m:SubscriptionId', 1, 1],
        ['m:Watermark', 0, 1],
      ]);
      return { operation: 'GetEvents', subscriptionId: textOf(ids), watermark: watermarks?.[0]?.text };
    }
    case 'm:GetStreamingEvents':
      return readGetStreamingEvents(element);
    case 'm:Unsubscribe': {
      const [ids] = childrenInOrder(element, [['m:SubscriptionId', 1, 1]]);
      return { operation: 'Unsubscribe', subscriptionId: textOf(ids) };
    }
    default:
      throw new SchemaViolation(`the element ${element.name} is not an operation of this server`);
  }
}

function readGetStreamingEvents(element: Element): EwsRequest {
  const [lists, timeouts] = childrenInOrder(element, [
    ['m:SubscriptionIds', 1, 1],
    ['m:ConnectionTimeout', 1, 1],
  ]);
  const [ids] = childrenInOrder(only(lists, 'one m:SubscriptionIds'), [['t:SubscriptionId', 1, 200]]);
  return {
    operation: 'GetStreamingEvents',
    subscriptionIds: (ids ?? []).map(({ text }) => text),
    connectionMinutes: readMinutes('m:ConnectionTimeout', textOf(timeouts), 30),
  };
}

function readImpersonated(element: Element | undefined): ImpersonatedUser | undefined {
  if (element === undefined) return undefined;
  const sid = only(element.children, 'one t:ConnectingSID');
  const { name, text } = only(sid.children, 'one name in t:ConnectingSID');
  if (!CONNECTING_SIDS.includes(name)) throw new SchemaViolation(`t:ConnectingSID has the element ${name}`);
  return { by: name.slice('t:'.length), name: text };
}

/** A ConvertId request, which clients use to read the version of the server. */
export interface ConvertIdRequest {
  readonly operation: 'ConvertId';
  readonly idCount: number;
}

/** Returns the request in an `m:ConvertId`. @throws SchemaViolation */
export function readConvertId(element: Element): ConvertIdRequest {
  const [sourceIds] = childrenInOrder(element, [['m:SourceIds', 1, 1]]);
  const { children } = only(sourceIds, 'one m:SourceIds');
  const unknown = children.find(({ name }) => !/^t:Alternate(PublicFolder(Item)?)?Id$/.test(name));
  if (unknown !== undefined) throw new SchemaViolation(`m:SourceIds has the element ${unknown.name}`);
  if (children.length === 0) throw new SchemaViolation('m:SourceIds has no id');
  return { operation: 'ConvertId', idCount: children.length };
}

/** A GetFolder request. */
export interface GetFolderRequest {
  readonly operation: 'GetFolder';
  readonly folders: readonly RequestedFolder[];
  /** The properties to return besides the id, such as `folder:DisplayName`; undefined for all. */
  readonly properties: readonly string[] | undefined;
}

const BASE_SHAPES = new Set(['IdOnly', 'Default', 'AllProperties']);

/** Returns the request in an `m:GetFolder`. @throws SchemaViolation */
export function readGetFolder(element: Element): GetFolderRequest {
  const [shapes, folderIds] = childrenInOrder(element, [
    ['m:FolderShape', 1, 1],
    ['m:FolderIds', 1, 1],
  ]);
  const [baseShapes, additional] = childrenInOrder(only(shapes, 'one m:FolderShape'), [
    ['t:BaseShape', 1, 1],
    ['t:AdditionalProperties', 0, 1],
  ]);
  const shape = textOf(baseShapes);
  if (!BASE_SHAPES.has(shape)) throw new SchemaViolation(`t:BaseShape must not be ${shape}`);
  const properties = (additional?.[0]?.children ?? []).flatMap(
    ({ attributes }) => attributes['FieldURI'] ?? [],
  );
  return {
    operation: 'GetFolder',
    folders: readFolderIds(only(folderIds, 'one m:FolderIds')),
    properties: shape === 'IdOnly' ? properties : undefined,
  };
}
