import { type Element, childrenInOrder, only, SchemaViolation, textOf } from './elements.ts';
import { readFolderIds, type RequestedFolder } from './folderIds.ts';

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
