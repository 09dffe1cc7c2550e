import { type Element, childrenInOrder, only, SchemaViolation, textOf } from './elements.ts';
import { readFolderIds, type RequestedFolder } from './folderIds.ts';

/** What a ConvertId asks for. Clients send one to see the version of the server. */
export interface ConvertIdRequest {
  readonly operation: 'ConvertId';
  /** How many ids it has. */
  readonly ids: number;
}

/** Reads an `m:ConvertId`; it throws a {@link SchemaViolation}. */
export function readConvertId(element: Element): ConvertIdRequest {
  const [sourceIds] = childrenInOrder(element, [['m:SourceIds', 1, 1]]);
  const { children } = only(sourceIds, 'one m:SourceIds');
  const stranger = children.find(({ name }) => !/^t:Alternate(PublicFolder(Item)?)?Id$/.test(name));
  if (stranger !== undefined) throw new SchemaViolation(`m:SourceIds has the element ${stranger.name}`);
  if (children.length === 0) throw new SchemaViolation('m:SourceIds has no id');
  return { operation: 'ConvertId', ids: children.length };
}

/** What a GetFolder asks for. */
export interface GetFolderRequest {
  readonly operation: 'GetFolder';
  readonly folders: readonly RequestedFolder[];
  /** The properties to return besides the id, such as `folder:DisplayName`; undefined for all. */
  readonly properties: readonly string[] | undefined;
}

const BASE_SHAPES = new Set(['IdOnly', 'Default', 'AllProperties']);

/** Reads an `m:GetFolder`; it throws a {@link SchemaViolation}. */
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
  if (!BASE_SHAPES.has(shape)) throw new SchemaViolation(`t:BaseShape is not one of this server: ${shape}`);
  const properties = (additional?.[0]?.children ?? []).flatMap(
    ({ attributes }) => attributes['FieldURI'] ?? [],
  );
  return {
    operation: 'GetFolder',
    folders: readFolderIds(only(folderIds, 'one m:FolderIds')),
    properties: shape === 'IdOnly' ? properties : undefined,
  };
}
